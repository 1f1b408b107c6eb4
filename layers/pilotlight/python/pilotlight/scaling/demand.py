"""How many jobs capacity should be there for: those that wait or run, and those to expect.

Everything here counts jobs; decision.py turns them into instances.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from pilotlight.scaling.forecast import (
    LATE_MINUTES,
    MINUTE_SECONDS,
    NOTHING_KNOWN,
    ArrivalHistory,
    Forecast,
    foresee,
)

RESTART_SECONDS = 45.0
"""Seconds on the bill, without use, of a worker that leaves and comes again: it boots for 14, takes
16 to leave, and EC2 bills 60 for each start at least."""

RIVALS = 5.0
"""Starts in excess of each waiting job while a burst goes on. The first to be up takes the job, and
the others take what the metrics show a minute or two later only."""

SURE = 1.65
"""Standard deviations that nineteen of twenty draws of a normal distribution stay below."""


class Demand(NamedTuple):
    """Jobs. Capacity is raised to `least`, lowered to `most`, and left alone between them."""

    needed: int
    least: int
    most: int


class Waiting(NamedTuple):
    """Seconds: a wait that is good enough, and how long a start takes.

    The two say what a second of wait is worth: start / target seconds of an instance.
    """

    target_seconds: float
    start_seconds: float

    @property
    def chance(self) -> float:
        """A spare worker spares a job `start_seconds`, if one comes: it is worth having while
        chance x start_seconds, the wait to expect without it, is above the target."""
        return self.target_seconds / self.start_seconds

    @property
    def started_chance(self) -> float:
        """One that has to be started costs the restart besides, and nothing says that it is wanted
        for longer than a forecast holds."""
        return self.chance * (1.0 + RESTART_SECONDS / (LATE_MINUTES * MINUTE_SECONDS))

    @property
    def missed_chance(self) -> float:
        """One that leaves, and is wanted again with this chance before another could be up, costs
        more by its restart than by staying so long."""
        return self.start_seconds / RESTART_SECONDS

    def among_workers(self, service_seconds: float | None) -> "Waiting":
        """Of a job that finds others at work: if jobs are shorter than a start, the wait to expect
        is for the end of one, not for another worker."""
        if service_seconds is None or service_seconds >= self.start_seconds:
            return self
        return self._replace(start_seconds=service_seconds)

    @property
    def foresees(self) -> bool:
        """A target as long as a start leaves nothing to prepare for."""
        return self.target_seconds < self.start_seconds


@dataclass(frozen=True)  # without slots, for what is worked out once
class Outlook:
    """What a forecast is worth by that waiting: the part of the demand that stays for a minute."""

    waiting: Waiting
    forecast: Forecast = NOTHING_KNOWN

    @cached_property
    def spare(self) -> int:
        """Workers without a job that are worth a start. The first one spares whoever comes a start,
        the others may spare him no more than a job."""
        among_workers = self.waiting.among_workers(self.forecast.service_seconds)
        first = min(1, self.forecast.jobs_with_chance(self.waiting.started_chance))
        return max(first, self.forecast.jobs_at_once(among_workers.started_chance))

    @cached_property
    def kept(self) -> int:
        """Those that are worth keeping, besides, if they are there."""
        if not self.waiting.foresees:
            return 0
        return self.forecast.jobs_at_once(self.waiting.missed_chance)

    @cached_property
    def rivals_per_start(self) -> float:
        """None where a start is good enough, the more the dearer a wait is."""
        return RIVALS * self.forecast.lasting * (1.0 - self.waiting.chance)

    @cached_property
    def ending_share(self) -> float:
        """Of the workers with a job, those that end it while an instance would start."""
        if self.forecast.service_seconds is None:
            return 0.0
        return min(1.0, self.waiting.start_seconds / self.forecast.service_seconds)

    def rivals(self, starts: int) -> int:
        return round(self.rivals_per_start * starts) if starts > 0 else 0

    def sooner_served(self, visible: int, slots: int) -> int:
        """Waiting jobs that the workers who are there begin sooner than a new one could.

        Only of jobs that are shorter than a start: longer ones differ too much for their mean to
        tell. Nineteen times in twenty so many workers, in a row, become free meanwhile (a Poisson
        process).
        """
        start_seconds, service_seconds = self.waiting.start_seconds, self.forecast.service_seconds
        if service_seconds is None or service_seconds >= start_seconds:
            return 0
        freed = slots * start_seconds / service_seconds
        return min(visible, max(0, int(freed - SURE * math.sqrt(freed))))


@lru_cache(maxsize=8)
def outlook(history: ArrivalHistory | None, waiting: Waiting) -> Outlook:
    """Without a history nothing is expected."""
    if history is None:
        return Outlook(waiting)
    return Outlook(waiting, foresee(history, waiting.start_seconds))


def demand(visible: int, in_flight: int, slots: int, expected: Outlook) -> Demand:
    """`slots` are the jobs that workers in service can run at once."""
    backlog = visible + in_flight
    needed = max(min(slots, backlog), backlog - expected.sooner_served(visible, slots))
    # Each worker that ends its job meanwhile is a spare one, counted once.
    spare = max(0, expected.spare - int(in_flight * expected.ending_share))
    least = needed + max(spare, expected.rivals(needed - in_flight))
    # While jobs wait, what was started for a burst is not called surplus for being up first.
    held = max(spare + expected.kept, expected.rivals(visible))
    return Demand(needed=needed, least=least, most=max(least, backlog + held))
