"""What was sent and what it took, as far as it is known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pilotlight.scaling.chances import MINUTE_SECONDS
from pilotlight.scaling.clockwork import HOUR_MINUTES, Due, due_minutes, without_due
from pilotlight.scaling.likeness import RECENT_MINUTES, Moments, clump_of

HISTORY_MINUTES = 360
SURE = 1.65
"""Standard deviations that nineteen of twenty draws of a normal distribution stay below."""


@dataclass(frozen=True, kw_only=True)  # without slots, for what is worked out once
class ArrivalHistory:
    """Jobs sent in each full minute, the oldest first; the newest may be some minutes old.

    `service_seconds` is the mean time that a job works, above 0, of the `ended_jobs` that tell it;
    None while nothing does. `newest_ended_seconds_ago` is how old the minutes are.
    `counted_followers` are those of `Moments` that were given the same minutes one by one; without
    them the minutes are gone through.
    """

    per_minute: tuple[int, ...]
    service_seconds: float | None = None
    ended_jobs: int | None = None
    newest_ended_seconds_ago: int = 60
    counted_followers: Mapping[int, int] | None = None

    @property
    def minutes_ago(self) -> int:
        """Since the newest minute ended, in full minutes: 0 while the next one is on."""
        return int(self.newest_ended_seconds_ago // MINUTE_SECONDS)

    @property
    def jobs_an_hour(self) -> float:
        """Their mean; 0 for no past."""
        hours = len(self.per_minute) / HOUR_MINUTES
        return sum(self.per_minute) / hours if hours else 0.0

    @property
    def slow_service_seconds(self) -> float | None:
        """What the mean of all jobs is below nineteen times in twenty. Their times are taken to
        vary as much as their mean, as those of a Poisson process do."""
        if self.service_seconds is None or not self.ended_jobs:
            return self.service_seconds
        return self.service_seconds * (1.0 + SURE / math.sqrt(self.ended_jobs))

    @cached_property
    def due(self) -> Due:
        """What comes by the clock."""
        return due_minutes(self.per_minute[-HISTORY_MINUTES:])

    @cached_property
    def recent(self) -> tuple[int, ...]:
        """The last hours, without what came by the clock."""
        per_minute = self.per_minute[-HISTORY_MINUTES:]
        return without_due(per_minute, self.due) if self.due else per_minute

    @cached_property
    def followers(self) -> Mapping[int, int]:
        """How often which count of jobs came in the minute after one like now."""
        if self.counted_followers is not None and not self.due:
            return self.counted_followers
        return Moments(HISTORY_MINUTES, self.recent).followers()

    @cached_property
    def clump(self) -> float:
        """How many jobs come together, 1 or more."""
        return clump_of(self.recent)

    @property
    def is_overtaken(self) -> bool:
        """Whether the jobs at work now came later than the minutes tell: those of a minute or more
        may have come before."""
        return self.service_seconds is not None and self.service_seconds < MINUTE_SECONDS

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Of the newest minutes, which tell histories apart: each look asks for the same outlook,
        and hashing six hours of them would cost more than the decision."""
        return hash((self.per_minute[-RECENT_MINUTES:], self.service_seconds))
