"""How many jobs capacity should be there for: those that wait or run, and those to expect.

Everything here counts jobs; decision.py turns them into instances.
"""

from dataclasses import dataclass

from pilotlight.scaling.forecast import NOTHING_KNOWN, Forecast

HOLD_SHARE = 0.25
"""A spare worker that is there is kept down to this share of the chance that would start one:
its start is paid for, and EC2 bills a minute at least."""

RIVALS = 1.0
"""Starts in excess of each waiting job in a burst. Bursts go on, and the first to be up serves.
More of them shorten waits where bursts last, and are wasted where a batch is all there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Jobs. Capacity is raised to `least`, lowered to `most`, and left alone between them."""

    needed: int
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Seconds: a wait that is good enough, and how long a start takes."""

    target_seconds: float
    start_seconds: float

    @property
    def chance(self) -> float:
        """A spare worker spares a job `start_seconds`, if one comes: it is worth having while
        chance x start_seconds, the wait to expect without it, is above the target."""
        return self.target_seconds / self.start_seconds

    @property
    def foresees(self) -> bool:
        """A target as long as a start leaves nothing to prepare for."""
        return self.target_seconds < self.start_seconds


def demand(
    visible: int, in_flight: int, slots: int, waiting: Waiting, forecast: Forecast = NOTHING_KNOWN
) -> Demand:
    """`slots` are the jobs that workers in service can run at once."""
    backlog = visible + in_flight
    needed = max(min(slots, backlog), backlog - _soon_served(visible, slots, waiting, forecast))
    if not waiting.foresees:
        return Demand(needed=needed, least=needed, most=backlog)
    leaving = _soon_free(in_flight, waiting, forecast)
    rivals = round(RIVALS * forecast.company * max(0, needed - in_flight))
    spare = max(0, forecast.jobs_with_chance(waiting.chance) - leaving)
    kept = max(0, forecast.jobs_with_chance(waiting.chance * HOLD_SHARE) - leaving)
    least = needed + max(spare, rivals)
    return Demand(needed=needed, least=least, most=max(least, backlog + kept))


def _soon_served(visible: int, slots: int, waiting: Waiting, forecast: Forecast) -> int:
    """Waiting jobs that the workers who are there begin within the wanted wait: no start helps."""
    if forecast.service_seconds is None:
        return 0
    return min(visible, int(slots * waiting.target_seconds / forecast.service_seconds))


def _soon_free(in_flight: int, waiting: Waiting, forecast: Forecast) -> int:
    """Workers that end their job while an instance would start, each counted once."""
    if forecast.service_seconds is None:
        return 0
    share = min(1.0, waiting.start_seconds / forecast.service_seconds)
    return int(in_flight * share)
