"""What tells the instance's future, asked no oftener than needed: its metadata, and its disk."""

from collections.abc import Callable
from typing import Protocol

from pilotlight.worker.event_log import EventLog
from pilotlight.worker.metadata import MetadataError

TARGET_SECONDS = 0.5
NOTICE_SECONDS = 5.0
# EC2 takes a Spot instance two minutes after the notice; this much of that is for handing back.
BEFORE_INTERRUPTION_SECONDS = 20.0


class Metadata(Protocol):
    """Each raises MetadataError when there is no answer."""

    def target_lifecycle_state(self) -> str | None: ...
    def interruption_at(self) -> float | None: ...
    def rebalance_recommended_at(self) -> float | None: ...


class Surroundings:
    def __init__(
        self,
        metadata: Metadata,
        drain_seconds: float,
        disk_is_full: Callable[[], bool],
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._metadata = metadata
        self._drain_seconds = drain_seconds
        self._disk_is_full = disk_is_full
        self._disk_deadline: float | None = None
        self._clock = clock
        self._log = log
        self._target: str | None = None
        self._target_at = float("-inf")
        self._announced: float | None = None
        self._notice_at = float("-inf")
        self._reachable = True

    def target(self) -> str | None:
        """No answer is None, as is not being in a group: in doubt nothing is received."""
        if self._clock() - self._target_at >= TARGET_SECONDS:
            self._target_at = self._clock()
            self._target = self._ask_target()
        return self._target

    def notice_deadline(self) -> float | None:
        """When running jobs have to be given back because the instance will not last.

        EC2 announced an interruption; or the disk is full, and job after job would fail for that.
        """
        if self._clock() - self._notice_at >= NOTICE_SECONDS:
            self._notice_at = self._clock()
            self._look_at_disk()
            self._announced = self._ask_notices()
        deadlines = (self._announced, self._disk_deadline)
        return min((each for each in deadlines if each is not None), default=None)

    def _look_at_disk(self) -> None:
        """Full once is full for good: jobs have failed for it, and the group replaces it whole."""
        if self._disk_deadline is None and self._disk_is_full():
            self._disk_deadline = self._clock() + self._drain_seconds
            self._log("disk_full")

    def _ask_target(self) -> str | None:
        try:
            target = self._metadata.target_lifecycle_state()
        except MetadataError as error:
            if self._reachable:
                self._log("metadata_unreachable", error=str(error))
            self._reachable = False
            return None
        self._reachable = True
        return target

    def _ask_notices(self) -> float | None:
        try:
            interruption_at = self._metadata.interruption_at()
            recommended_at = self._metadata.rebalance_recommended_at()
        except MetadataError:
            return self._announced  # the target's reading has said so already
        deadlines = []
        if interruption_at is not None:
            deadlines.append(interruption_at - BEFORE_INTERRUPTION_SECONDS)
        if recommended_at is not None:
            deadlines.append(recommended_at + self._drain_seconds)
        return min(deadlines, default=None)
