"""Moments of the past that looked like now, and what followed them."""

import math
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate, compress, pairwise
from operator import not_, sub

from pilotlight.scaling.chances import MINUTE_SECONDS

RECENT_MINUTES = 5
"""How busy a moment was is told by so many minutes: fewer take a lull of a stream for its end, more
follow a burst late."""
LATE_MINUTES = 2
"""CloudWatch shows a minute up to two minutes late, so the one to foresee is the second next."""
ALIKE_MINUTES = 40
"""So many of the past are asked, of those most like now, and all that are no less like it."""


def followers_of(per_minute: tuple[int, ...]) -> Counter[int]:
    """How often which count came after a time like now, the newest minutes of `per_minute`.

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
