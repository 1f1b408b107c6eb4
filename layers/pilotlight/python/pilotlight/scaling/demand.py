"""How many jobs capacity should be there for: those that wait or run, and those to expect.

Everything here counts jobs; decision.py turns them into instances.
"""

import math
from bisect import bisect_left
from functools import cached_property, lru_cache
from typing import NamedTuple

from pilotlight.scaling.chances import LEAST_CHANCE, MINUTE_SECONDS
from pilotlight.scaling.forecast import NOTHING_KNOWN, Forecast, due_now, due_soon, foresee
from pilotlight.scaling.history import SURE, ArrivalHistory
from pilotlight.scaling.likeness import LATE_MINUTES

RESTART_SECONDS = 45.0
"""Seconds on the bill, without use, of a worker that leaves and comes again: it boots for 14, takes
16 to leave, and EC2 bills 60 for each start at least."""

LEAST_BILLED_SECONDS = 60.0
"""Of each start (EC2 pricing, "On-Demand"): what one costs that comes too late for its job."""

STARTS_APART_SECONDS = 8.0
"""From the first of many starts to be up to the last. Boot, EC2's start and the group's decision
take 13, 6.5 and 5.6 seconds (published recordings, local/group/latency.py); each varies by half."""

RIVALS = 5.0
"""Starts in excess of each waiting job while a burst goes on. The first to be up takes the job, and
the others take what the metrics show a minute or two later only."""


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

    @property
    def late_start_seconds(self) -> float:
        """Seconds of wait that a start is worth which comes too late for its job."""
        return LEAST_BILLED_SECONDS * max(self.chance, LEAST_CHANCE)

    @property
    def least_spare(self) -> int:
        """Whoever wants no wait at all has one worker without a job, whatever the past tells."""
        return 0 if self.target_seconds else 1

    @property
    def foresees(self) -> bool:
        """A target as long as a start leaves nothing to prepare for."""
        return self.target_seconds < self.start_seconds


class Outlook:
    """What a forecast is worth by that waiting: the part of the demand that stays for a minute.

    `spare` are the workers without a job that are worth a start, `staying` those that are worth
    what they cost if they are there, `kept` those that would be missed besides. `due_soon` are
    worth a start for what comes by the clock as soon as they are up, `due_now` wait for what may
    have come already. `ending_share` is, of the workers with a job, those that end it while an
    instance would start.
    """

    def __init__(
        self,
        waiting: Waiting,
        forecast: Forecast = NOTHING_KNOWN,
        soon: Forecast = NOTHING_KNOWN,
        now: Forecast = NOTHING_KNOWN,
    ) -> None:
        self.waiting = waiting
        self.forecast = forecast
        self.spare = max(waiting.least_spare, self._worth(forecast, waiting.started_chance))
        # What is minutes old takes a batch that is over for one that goes on.
        self.staying = self._worth(forecast, waiting.chance) if forecast.is_fresh else 0
        self.kept = self._kept()
        self.ending_share = self._ending_share()
        self.due_soon = self._worth(soon, waiting.started_chance)
        self.due_now = self._worth(now, waiting.started_chance)

    def _worth(self, forecast: Forecast, chance: float) -> int:
        """Workers without a job, if one is worth having where it spares a start with that chance.

        The first one spares whoever comes a start; where jobs are shorter than that, the others
        spare those that come at once their turns."""
        if not self.waiting.foresees:
            return 0
        expected = forecast.jobs_with_chance(chance)
        service_seconds = forecast.service_seconds
        if service_seconds is None or service_seconds >= self.waiting.start_seconds:
            return expected
        return max(min(1, expected), self._worth_while(forecast, chance * service_seconds))

    def _worth_while(self, forecast: Forecast, price_seconds: float) -> int:
        """Workers of which each saves, during a job, waits that are worth its own time. The last
        is sought by halving, since each saves less than the one before as soon as there are some
        (of dozens that come at once, the first few leave as many to wait for a start)."""
        most = len(forecast.chances_at_once) - 1
        return bisect_left(
            range(most), True, key=lambda n: self._saved(forecast, n) < price_seconds
        )

    def _saved(self, forecast: Forecast, workers: int) -> float:
        """Seconds of wait, by one more."""
        start_seconds = self.waiting.start_seconds
        waited = forecast.waited_seconds(workers, start_seconds)
        return waited - forecast.waited_seconds(workers + 1, start_seconds)

    def _kept(self) -> int:
        if not self.waiting.foresees:
            return 0
        return self.forecast.jobs_at_once(self.waiting.missed_chance)

    @cached_property  # asked for while jobs wait alone
    def rivals_per_start(self) -> float:
        """None where a start is good enough, the more the dearer a wait is."""
        return RIVALS * self.forecast.lasting * (1.0 - self.waiting.chance)

    def _ending_share(self) -> float:
        if self.forecast.service_seconds is None:
            return 0.0
        return min(1.0, self.waiting.start_seconds / self.forecast.service_seconds)

    def rivals(self, starts: int) -> int:
        """Starts in excess: for what a burst goes on with, or for a batch to have its slowest
        starts outrun, whichever asks for more."""
        if starts <= 0 or not self.waiting.foresees:
            return 0
        return max(round(self.rivals_per_start * starts), self._outrunning(starts))

    def _outrunning(self, starts: int) -> int:
        """The first n of N starts to be up take the n jobs. With moments drawn evenly from
        STARTS_APART_SECONDS the n earliest wait n (n + 1) / (N + 1) halves of it together (order
        statistics), and N rises while one more shortens that by more than it is worth."""
        saved = STARTS_APART_SECONDS * starts * (starts + 1) / 2
        most = math.sqrt(saved / self.waiting.late_start_seconds + 0.25) - 0.5
        return max(0, int(most) - starts)

    def sooner_served(self, visible: int, slots: int) -> int:
        """Waiting jobs that the workers who are there begin sooner than a new one could.

        Only of jobs that are shorter than a start: longer ones differ too much for their mean to
        tell. Nineteen times in twenty so many workers, in a row, become free meanwhile (a Poisson
        process).
        """
        start_seconds = self.waiting.start_seconds
        service_seconds = self.forecast.slow_service_seconds
        if service_seconds is None or service_seconds >= start_seconds:
            return 0
        freed = slots * start_seconds / service_seconds
        return min(visible, max(0, int(freed - SURE * math.sqrt(freed))))


def outlook(history: ArrivalHistory | None, waiting: Waiting, backlog: int) -> Outlook:
    """Without a history nothing is expected. `backlog`: the jobs that wait or run."""
    if history is None:
        return Outlook(waiting)
    return _outlooks(history, waiting)[backlog if history.is_overtaken else None]


class Outlooks(dict[int | None, Outlook]):
    """One history's, by the backlog where it tells something: many looks have the same."""

    def __init__(self, history: ArrivalHistory, waiting: Waiting) -> None:
        self._history = history
        self._waiting = waiting

    def __missing__(self, backlog: int | None) -> Outlook:
        history, waiting = self._history, self._waiting
        forecast = foresee(history, waiting.start_seconds, backlog)
        due = (due_soon(history, waiting.start_seconds), due_now(history)) if history.due else ()
        self[backlog] = expected = Outlook(waiting, forecast, *due)
        return expected


# Another minute may look like this one, and takes long to tell apart: only the last is kept.
_outlooks = lru_cache(maxsize=1)(Outlooks)


def demand(
    visible: int, in_flight: int, slots: int, within_reach: int, expected: Outlook
) -> Demand:
    """`slots` are the jobs that workers in service can run at once; `within_reach` those of all
    instances that are set up, the sleeping ones too."""
    # Each worker that ends its job meanwhile is a spare one, counted once.
    ending = int(in_flight * expected.ending_share)
    spare, early = max(0, expected.spare - ending), max(0, expected.due_soon - ending)
    held = max(spare + expected.kept, expected.staying - ending, expected.due_now)
    needed = backlog = visible + in_flight
    if visible:
        needed = max(min(slots, backlog), backlog - expected.sooner_served(visible, slots))
        early = max(early, expected.rivals(needed - in_flight))
        # What was started for a burst is not called surplus for being up first.
        held = max(held, expected.rivals(visible))
    # Who is not set up yet outruns nobody, and is late for what is due.
    least = needed + max(spare, min(early, max(0, within_reach - needed)))
    return Demand(needed, least, max(least, backlog + held))
