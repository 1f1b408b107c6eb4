"""What the breaker remembers: a tag of the group, so that no function needs a memory."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from pilotlight.fleet.group import Group

BREAKER_TAG = "pilotlight:setup-breaker"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Phase(StrEnum):
    """Launching is the breaker's to suspend in `OPEN`, `PREPARING` and `TRIED`.

    `PREPARING`: capacity is being lowered, so that a trial launches one instance. `TRIAL`:
    launching goes on until that one has begun. `TRIED`: it is being set up. `CLOSING`: launching is
    resumed, and not yet seen to go on.
    """

    CLOSED = "closed"
    OPEN = "open"
    PREPARING = "preparing"
    TRIAL = "trial"
    TRIED = "tried"
    CLOSING = "close"


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The tag is `<phase> <since> <failed_trials> <largest_capacity> <setup>`.

    `failed_trials` counts those since it opened. `largest_capacity` is what the group may desire
    while a trial is prepared and its launch awaited. `setup` is the version of what failed, empty
    when a person wrote the tag.
    """

    phase: Phase = Phase.CLOSED
    since: datetime = LONG_AGO
    failed_trials: int = 0
    largest_capacity: int = 0
    setup: str = ""

    @classmethod
    def of(cls, group: Group) -> Self:
        return cls.read(group.tag(BREAKER_TAG))

    @classmethod
    def read(cls, tag: str) -> Self:
        """What is left out counts as nothing, and as since ever; so does a tag that is garbled."""
        words = tag.split()[:5]
        phase, since, failed, largest, setup = (*words, *_LEFT_OUT[len(words) :])
        try:
            return cls(Phase(phase), _time(since), int(failed), int(largest), setup)
        except ValueError:
            return cls()

    def __str__(self) -> str:
        since = self.since.isoformat(timespec="seconds")
        counts = f"{self.failed_trials} {self.largest_capacity}"
        return f"{self.phase} {since} {counts} {self.setup}".strip()

    @property
    def is_small(self) -> bool:
        """Whether the group is kept to one instance more than it has."""
        return self.phase in (Phase.PREPARING, Phase.TRIAL)

    @property
    def holds_launch(self) -> bool:
        """Whether launching is suspended but for what wakes."""
        return self.phase in (Phase.OPEN, Phase.PREPARING, Phase.TRIED)


_LEFT_OUT = (Phase.CLOSED.value, LONG_AGO.isoformat(), "0", "0", "")


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
