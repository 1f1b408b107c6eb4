"""What the arrivals of the last hours let expect while an instance starts.

What is to come is taken from what came before, when it had looked like now: the minutes whose last
minutes were as busy are found, and what followed each of them is as likely as the others. So a
stream is expected to go on, a lasting burst is followed, and after a batch that is known to come
alone nothing is expected.

The minutes are late. Where jobs are short, those that wait or run now have come since, and say
which of what followed is the likelier one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise

from pilotlight.scaling.chances import MINUTE_SECONDS, chances_within, most_with
from pilotlight.scaling.clockwork import HOUR_MINUTES, chances_due
from pilotlight.scaling.history import ArrivalHistory
from pilotlight.scaling.likeness import as_seen

EARLY_SECONDS = 5.0
"""Before a minute in which jobs are due its workers are to be ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`chances[n]` is the chance that at least n jobs come while an instance starts; falls.

    `chances_at_once` is the same while a job works, for jobs that are shorter than a start: so many
    workers they keep busy at once, and as many of them come together as minutes tell (`clump_of`).
    `slow_service_seconds` is what the true mean of the service time hardly exceeds. `per_minute` is
    what all was made of; `is_fresh` tells whether the jobs that wait or run now had a say.
    """

    chances: tuple[float, ...]
    chances_at_once: tuple[float, ...]
    per_minute: tuple[int, ...]
    service_seconds: float | None
    slow_service_seconds: float | None = None
    is_fresh: bool = False

    @property
    def lasting(self) -> float:
        """The share of the jobs that came in bursts of more than a minute: what two minutes in a
        row had above the mean. A stream has none."""
        jobs = sum(self.per_minute)
        if not jobs:
            return 0.0
        mean = jobs / len(self.per_minute)
        pairs = pairwise(self.per_minute)
        return sum(min(one, other) - mean for one, other in pairs if one > mean < other) / jobs

    def jobs_with_chance(self, least: float) -> int:
        """The most jobs of which all come during a start with a chance of `least` or more."""
        return most_with(self.chances, least)

    def jobs_at_once(self, least: float) -> int:
        """The same during a start or a job, whichever is shorter."""
        return most_with(self.chances_at_once, least)

    def waited_seconds(self, workers: int, start_seconds: float) -> float:
        """By all that come at once while a job works, if so many are there for them: each takes the
        next job when it has ended one, and nobody waits longer than for a start."""
        if not workers:
            return start_seconds * sum(self.chances_at_once[1:])
        turn_seconds = (self.service_seconds or start_seconds) / workers
        beyond = islice(self.chances_at_once, workers + 1, None)
        return sum(
            chance * min(start_seconds, turn_seconds * place)
            for place, chance in enumerate(beyond, start=1)
        )


NOTHING_KNOWN = Forecast(
    chances=(1.0,), chances_at_once=(1.0,), per_minute=(), service_seconds=None
)


def foresee(history: ArrivalHistory, start_seconds: float, backlog: int | None = None) -> Forecast:
    """`start_seconds`: from the decision to a worker that receives. `backlog`: the jobs that wait
    or run now, None where they tell nothing."""
    followers: Mapping[int, float] = history.followers
    service_seconds = history.service_seconds
    if service_seconds is not None and backlog is not None:
        followers = as_seen(followers, backlog, service_seconds, history.clump)
    chances = chances_at_once = chances_within(followers, start_seconds)
    if service_seconds is not None and service_seconds < start_seconds:
        chances_at_once = chances_within(followers, service_seconds, history.clump)
    return Forecast(
        chances=chances,
        chances_at_once=chances_at_once,
        per_minute=history.recent,
        service_seconds=service_seconds,
        slow_service_seconds=history.slow_service_seconds,
        is_fresh=backlog is not None,
    )


def due_now(history: ArrivalHistory) -> Forecast:
    """What comes by the clock in the minute that is on, whether it has come or not."""
    this_minute = history.minutes_ago
    return _due(history, range(this_minute, this_minute + 1))


def due_soon(history: ArrivalHistory, start_seconds: float) -> Forecast:
    """What comes by the clock in a later minute that begins before a start of now is over."""
    ready_seconds = history.newest_ended_seconds_ago + start_seconds + EARLY_SECONDS
    return _due(history, range(history.minutes_ago + 1, int(ready_seconds // MINUTE_SECONDS) + 1))


def _due(history: ArrivalHistory, minutes: Iterable[int]) -> Forecast:
    """The largest batch of those minutes after the newest known one."""
    batches = (history.due.get(minute % HOUR_MINUTES, ()) for minute in minutes)
    chances = chances_due(max(batches, key=sum, default=()))
    return Forecast(
        chances=chances,
        chances_at_once=chances,
        per_minute=(),
        service_seconds=history.service_seconds,
    )
