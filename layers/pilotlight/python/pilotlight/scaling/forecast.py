"""What the arrivals of the last hours let expect while an instance starts.

What is to come is taken from what came before, when it had looked like now: the minutes whose last
minutes were as busy are found, and what followed each of them is as likely as the others. So a
stream is expected to go on, a lasting burst is followed, and after a batch that is known to come
alone nothing is expected.

The minutes are late. Where jobs are short, those that wait or run now have come since, and say
which of what followed is the likelier one.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, compress, islice, pairwise, zip_longest
from operator import mul, neg, not_, sub

from pilotlight.scaling.clockwork import Due, chances_due, due_minutes, without_due

MINUTE_SECONDS = 60.0
HOUR_MINUTES = 60
HISTORY_MINUTES = 360
RECENT_MINUTES = 5
"""How busy a moment was is told by so many minutes: fewer take a lull of a stream for its end, more
follow a burst late."""
LATE_MINUTES = 2
"""CloudWatch shows a minute up to two minutes late, so the one to foresee is the second next."""
ALIKE_MINUTES = 40
"""So many of the past are asked, of those most like now, and all that are no less like it."""
LEAST_CHANCE = 0.01
"""What is less likely is not expected at all."""
SURE = 1.65
"""Standard deviations that nineteen of twenty draws of a normal distribution stay below."""
EARLY_SECONDS = 5.0
"""Before a minute in which jobs are due its workers are to be ready."""


@dataclass(frozen=True, kw_only=True)  # without slots, for what is worked out once
class ArrivalHistory:
    """Jobs sent in each full minute, the oldest first; the newest may be some minutes old.

    `service_seconds` is the mean time that a job works, above 0, of the `ended_jobs` that tell it;
    None while nothing does. `newest_ended_seconds_ago` is how old the minutes are.
    """

    per_minute: tuple[int, ...]
    service_seconds: float | None = None
    ended_jobs: int | None = None
    newest_ended_seconds_ago: int = 60

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
    def followers(self) -> Counter[int]:
        """How often which count of jobs came in the minute after one like now."""
        return _followers(self.recent) if any(self.recent) else Counter({0: 1})

    @cached_property
    def clump(self) -> float:
        """How many jobs come together, 1 or more."""
        return _clump(self.recent)

    @property
    def is_overtaken(self) -> bool:
        """Whether the jobs at work now came later than the minutes tell: those of a minute or more
        may have come before."""
        return self.service_seconds is not None and self.service_seconds < MINUTE_SECONDS

    def __hash__(self) -> int:
        """Of the newest minutes, which tell histories apart: each look asks for the same outlook,
        and hashing six hours of them would cost more than the decision."""
        return hash((self.per_minute[-RECENT_MINUTES:], self.service_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`chances[n]` is the chance that at least n jobs come while an instance starts; falls.

    `chances_at_once` is the same while a job works, for jobs that are shorter than a start: so many
    workers they keep busy at once, and as many of them come together as minutes tell (`_clump`).
    `slow_service_seconds` is what the true mean of the service time hardly exceeds. `per_minute` is
    what all was made of; `is_fresh` tells whether the jobs that wait or run now had
    a say.
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
        above = [count - mean if count > mean else 0.0 for count in self.per_minute]
        return sum(map(min, above, above[1:])) / jobs

    def jobs_with_chance(self, least: float) -> int:
        """The most jobs of which all come during a start with a chance of `least` or more."""
        return _most(self.chances, least)

    def jobs_at_once(self, least: float) -> int:
        """The same during a start or a job, whichever is shorter."""
        return _most(self.chances_at_once, least)

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
        followers = _as_seen(followers, backlog, service_seconds, history.clump)
    chances = chances_at_once = _chances(followers, start_seconds)
    if service_seconds is not None and service_seconds < start_seconds:
        chances_at_once = _chances(followers, service_seconds, history.clump)
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


def _as_seen(
    followers: Mapping[int, float], backlog: int, service_seconds: float, clump: float
) -> dict[int, float]:
    """Each count's weight, times how likely it makes the jobs that are there now (Bayes' rule).

    Jobs that come together are one thing seen, not many: the logarithms are divided by the variance
    over the mean, as quasi-likelihood has it (Wedderburn 1974).
    """
    minutes = service_seconds / MINUTE_SECONDS
    logs = {count: _log_presence(backlog, count, minutes) / clump for count in followers}
    most = max(logs.values(), default=0.0)
    return {count: weight * math.exp(logs[count] - most) for count, weight in followers.items()}


def _log_presence(jobs: int, count: int, minutes: float) -> float:
    """The logarithm of the chance that so many are there, where a minute had `count` and each stays
    for `minutes`; what is the same for every count is left out.

    By Little's law their mean is the rate times that stay. A minute's count leaves its rate a gamma
    distribution of shape count + 1/2 (Jeffreys), so those there have a negative binomial one.
    """
    shape = count + 0.5
    return math.lgamma(jobs + shape) - math.lgamma(shape) - shape * math.log1p(minutes)


def _most(chances: tuple[float, ...], least: float) -> int:
    return max(0, bisect_right(chances, -least, key=neg) - 1)


def _followers(per_minute: tuple[int, ...]) -> Counter[int]:
    """How often which count came after a time like now.

    One more is added that goes on as it is: it stands for what was never seen before.
    """
    recent = list(accumulate(map(sub, per_minute, (0,) * RECENT_MINUTES + per_minute)))
    now = recent[-1]
    later = per_minute[LATE_MINUTES:]
    if now == 0:
        return Counter(compress(later, map(not_, recent)))
    # Idle moments are another time, however little comes now.
    alike = _most_like(now, Counter(filter(None, recent[:-LATE_MINUTES])))
    followers = Counter(compress(later, map(alike.__contains__, recent)))
    followers[max(1, round(now / RECENT_MINUTES))] += 1
    return followers


def _most_like(now: int, times: Counter[int]) -> set[int]:
    """How busy the moments to ask were; `times` is how often each of those was."""

    def distance(before: int) -> float:
        return abs(before - now) / (before + now)

    alike, asked, last = set[int](), 0, 0.0
    for before in sorted(times, key=distance):
        if asked >= ALIKE_MINUTES and distance(before) > last:
            break
        alike.add(before)
        asked += times[before]
        last = distance(before)
    return alike


def _clump(per_minute: tuple[int, ...]) -> float:
    """How many jobs come together: the variance over the mean of a minute, told by how it differs
    from the next one, so that a rate which rises and falls slowly does not count. 1 and more, a
    Poisson process has 1."""
    nearby = list(pairwise(per_minute))
    jobs = sum(map(sum, nearby))
    squares = sum((before - after) ** 2 for before, after in nearby)
    return max(1.0, round(squares / jobs, 1)) if jobs else 1.0


def _chances(
    followers: Mapping[int, float], seconds: float, clump: float = 1.0
) -> tuple[float, ...]:
    """A mixture of distributions, one for each count that may follow."""
    total = sum(followers.values())
    weights = [weight / total for count, weight in followers.items() if count]
    tails = [_tail(count * seconds / MINUTE_SECONDS, clump) for count in followers if count]
    chances = [1.0]
    for at_least in islice(zip_longest(*tails, fillvalue=0.0), 1, None):
        chance = sum(map(mul, weights, at_least))
        if chance < LEAST_CHANCE:
            break
        chances.append(chance)
    return tuple(chances)


@lru_cache(maxsize=1024)
def _tail(mean: float, clump: float) -> tuple[float, ...]:
    """At index n the chance of n or more; ends where that no longer matters.

    A Poisson distribution, or the negative binomial one whose variance is `clump` times its mean.
    Logarithms, because exp(-mean) is 0 for a mean of some hundreds.
    """
    cumulated, tail, n = 0.0, [1.0], 0
    while tail[-1] >= LEAST_CHANCE / 2 or n < mean:
        cumulated += math.exp(_log_chance(n, mean, clump))
        tail.append(max(0.0, 1.0 - cumulated))
        n += 1
    return tuple(tail)


def _log_chance(n: int, mean: float, clump: float) -> float:
    if clump == 1.0:
        return n * math.log(mean) - mean - math.lgamma(n + 1)
    clumps = mean / (clump - 1.0)
    arrangements = math.lgamma(n + clumps) - math.lgamma(clumps) - math.lgamma(n + 1)
    return arrangements + n * math.log1p(-1.0 / clump) - clumps * math.log(clump)
