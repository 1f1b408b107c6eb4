"""IMDS of a simulated instance, as the worker on it asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pilotlight.worker.metadata import TIMEOUT_SECONDS, MetadataError

if TYPE_CHECKING:
    from faults.guest import Guest

SLOW_SECONDS = 0.9 * TIMEOUT_SECONDS
Told = TypeVar("Told")


class Metadata:
    """It may be `away` or `slow` for a while, see `Guest.metadata_fault`."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def instance_id(self) -> str:
        return self._read(lambda: self._guest.instance_id)

    def target_lifecycle_state(self) -> str | None:
        return self._read(lambda: self._guest.target)

    def interruption_at(self) -> float | None:
        return self._read(lambda: self._guest.notice_at)

    def rebalance_recommended_at(self) -> float | None:
        return self._read(lambda: None)

    def _read(self, answer: Callable[[], Told]) -> Told:
        """Raises MetadataError."""
        fault, sleep = self._guest.metadata_fault(), self._guest.world.tasks.sleep
        if fault == "metadata_away":
            sleep(TIMEOUT_SECONDS)
            raise MetadataError("a fault of the run")
        if fault == "metadata_slow":
            sleep(SLOW_SECONDS)
        return answer()
