"""What the breaker remembers: a tag of the group, so that no function needs a memory."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from pilotlight.fleet.group import Group

BREAKER_TAG = "pilotlight:setup-breaker"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Phase(StrEnum):
    """Launching is suspended in all but `CLOSED` and `TRIAL`.

    `PREPARING`: capacity is being lowered, so that a trial launches one instance. `TRIAL`:
    launching goes on until that one has begun. `TRIED`: it is being set up.
    """

    CLOSED = "closed"
    OPEN = "open"
    PREPARING = "preparing"
    TRIAL = "trial"
    TRIED = "tried"


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The tag is `<phase> <since> <failed_trials> <largest_capacity>`.

    `failed_trials` counts those since it opened. `largest_capacity` is what the group may desire
    while a trial is prepared and its launch awaited.
    """

    phase: Phase = Phase.CLOSED
    since: datetime = _LONG_AGO
    failed_trials: int = 0
    largest_capacity: int = 0

    @classmethod
    def of(cls, group: Group) -> Self:
        return cls.read(group.tag(BREAKER_TAG))

    @classmethod
    def read(cls, tag: str) -> Self:
        """A tag that is missing, or that a person garbled, counts as closed since ever."""
        phase, since, *counts = f"{tag} 0 0".split()[:4]
        try:
            failed_trials, largest_capacity = map(int, counts)
            return cls(Phase(phase), _time(since), failed_trials, largest_capacity)
        except ValueError:
            return cls()

    def __str__(self) -> str:
        since = self.since.isoformat(timespec="seconds")
        return f"{self.phase} {since} {self.failed_trials} {self.largest_capacity}"

    @property
    def is_small(self) -> bool:
        """Whether the group is kept to one instance more than it has."""
        return self.phase in (Phase.PREPARING, Phase.TRIAL)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def largest_capacity(group: Group) -> int:
    """MaxSize; less while the breaker lets one instance be set up for trial."""
    state = BreakerState.of(group)
    return min(group.max_size, state.largest_capacity) if state.is_small else group.max_size
