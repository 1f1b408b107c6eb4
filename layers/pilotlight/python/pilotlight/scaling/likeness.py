"""Moments of the past that looked like now, and what followed them."""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from itertools import pairwise

from pilotlight.scaling.chances import MINUTE_SECONDS

RECENT_MINUTES = 5
"""How busy a moment was is told by so many minutes: fewer take a lull of a stream for its end, more
follow a burst late."""
LATE_MINUTES = 2
"""CloudWatch shows a minute up to two minutes late, so the one to foresee is the second next."""
ALIKE_MINUTES = 40
"""So many of the past are asked, of those most like now, and all that are no less like it."""


class Moments:
    """The last minutes, and what followed the moments of each busyness among them.

    A moment is as busy as its RECENT_MINUTES were together; one that began before the first minute
    known tells nothing. Whoever sees the minutes come one by one adds them to what is counted
    already: nothing of a run of simulated weeks is asked more often.
    """

    def __init__(self, kept_minutes: int, per_minute: Iterable[int] = ()) -> None:
        self._lately: deque[int] = deque(maxlen=RECENT_MINUTES)
        self._busyness: deque[int] = deque(maxlen=LATE_MINUTES + 1)
        self._pairs: deque[tuple[int, int]] = deque()
        self._kept_pairs = kept_minutes - (RECENT_MINUTES - 1) - LATE_MINUTES
        self._followers: defaultdict[int, Counter[int]] = defaultdict(Counter)
        for jobs in per_minute:
            self.add(jobs)

    def add(self, jobs: int) -> None:
        """One minute more; of the oldest moment is no longer asked what followed it."""
        self._lately.append(jobs)
        if len(self._lately) < RECENT_MINUTES:
            return
        self._busyness.append(sum(self._lately))
        if len(self._busyness) > LATE_MINUTES:
            self._pair(self._busyness[0], jobs)
        if len(self._pairs) > self._kept_pairs:
            self._forget(*self._pairs.popleft())

    def followers(self) -> dict[int, int]:
        """How often which count came after a time like now.

        One more is added that goes on as it is: it stands for what was never seen before.
        """
        now = sum(self._lately)
        if not now:
            return dict(sorted(self._followers.get(0, {0: 1}).items()))
        # Idle moments are another time, however little comes now.
        followers = Counter({max(1, round(now / RECENT_MINUTES)): 1})
        asked, last = 0, 0.0
        for distance, busyness in sorted(
            (abs(before - now) / (before + now), before) for before in self._followers if before
        ):
            if asked >= ALIKE_MINUTES and distance > last:
                break
            followers.update(self._followers[busyness])
            asked, last = followers.total() - 1, distance
        return dict(sorted(followers.items()))

    def _pair(self, busyness: int, jobs: int) -> None:
        self._pairs.append((busyness, jobs))
        self._followers[busyness][jobs] += 1

    def _forget(self, busyness: int, jobs: int) -> None:
        followers = self._followers[busyness]
        followers[jobs] -= 1
        if not followers[jobs]:
            del followers[jobs]
        if not followers:
            del self._followers[busyness]


def clump_of(per_minute: tuple[int, ...]) -> float:
    """How many jobs come together: the variance over the mean of a minute, told by how it differs
    from the next one, so that a rate which rises and falls slowly does not count. 1 and more, a
    Poisson process has 1."""
    nearby = list(pairwise(per_minute))
    jobs = sum(map(sum, nearby))
    squares = sum((before - after) ** 2 for before, after in nearby)
    return max(1.0, round(squares / jobs, 1)) if jobs else 1.0


def as_seen(
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
