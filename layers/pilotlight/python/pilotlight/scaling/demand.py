"""How many jobs capacity should be there for: those that wait or run, and those to expect.

Everything here counts jobs; decision.py turns them into instances.
"""

import math
from dataclasses import dataclass, replace

from pilotlight.scaling.forecast import LATE_MINUTES, MINUTE_SECONDS, NOTHING_KNOWN, Forecast

RESTART_SECONDS = 45.0
"""Seconds on the bill, without use, of a worker that leaves and comes again: it boots for 14, takes
16 to leave, and EC2 bills 60 for each start at least."""

RIVALS = 5.0
"""Starts in excess of each waiting job while a burst goes on. The first to be up takes the job, and
the others take what the metrics show a minute or two later only."""

SURE = 1.65
"""Standard deviations that nineteen of twenty draws of a normal distribution stay below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Jobs. Capacity is raised to `least`, lowered to `most`, and left alone between them."""

    needed: int
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
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
        return replace(self, start_seconds=service_seconds)

    @property
    def foresees(self) -> bool:
        """A target as long as a start leaves nothing to prepare for."""
        return self.target_seconds < self.start_seconds


def demand(
    visible: int, in_flight: int, slots: int, waiting: Waiting, forecast: Forecast = NOTHING_KNOWN
) -> Demand:
    """`slots` are the jobs that workers in service can run at once."""
    backlog = visible + in_flight
    needed = max(min(slots, backlog), backlog - _sooner_served(visible, slots, waiting, forecast))
    if not waiting.foresees:
        return Demand(needed=needed, least=needed, most=backlog)
    spare = _spare(in_flight, waiting, forecast)
    kept = spare + forecast.jobs_at_once(waiting.missed_chance)
    least = needed + max(spare, _rivals(needed - in_flight, waiting, forecast))
    # While jobs wait, what was started for a burst is not called surplus for being up first.
    held = max(kept, _rivals(visible, waiting, forecast))
    return Demand(needed=needed, least=least, most=max(least, backlog + held))


def _spare(in_flight: int, waiting: Waiting, forecast: Forecast) -> int:
    """The first one spares whoever comes a start, the others may spare him no more than a job."""
    among_workers = waiting.among_workers(forecast.service_seconds)
    first = min(1, forecast.jobs_with_chance(waiting.started_chance))
    others = forecast.jobs_at_once(among_workers.started_chance)
    return max(0, max(first, others) - _soon_free(in_flight, waiting, forecast))


def _rivals(starts: int, waiting: Waiting, forecast: Forecast) -> int:
    """None where a start is good enough, the more the dearer a wait is."""
    if starts <= 0:
        return 0
    return round(RIVALS * forecast.lasting * (1.0 - waiting.chance) * starts)


def _sooner_served(visible: int, slots: int, waiting: Waiting, forecast: Forecast) -> int:
    """Waiting jobs that the workers who are there begin sooner than a new one could.

    Only of jobs that are shorter than a start: longer ones differ too much for their mean to tell.
    Nineteen times in twenty so many workers, in a row, become free meanwhile (a Poisson process).
    """
    if forecast.service_seconds is None or forecast.service_seconds >= waiting.start_seconds:
        return 0
    freed = slots * waiting.start_seconds / forecast.service_seconds
    return min(visible, max(0, int(freed - SURE * math.sqrt(freed))))


def _soon_free(in_flight: int, waiting: Waiting, forecast: Forecast) -> int:
    """Workers that end their job while an instance would start, each counted once."""
    if forecast.service_seconds is None:
        return 0
    share = min(1.0, waiting.start_seconds / forecast.service_seconds)
    return int(in_flight * share)
