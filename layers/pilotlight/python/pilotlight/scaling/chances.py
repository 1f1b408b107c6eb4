"""Chances of so many jobs or more, and their distributions."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice, zip_longest
from operator import mul, neg

MINUTE_SECONDS = 60.0
LEAST_CHANCE = 0.01
"""What is less likely is not expected at all."""


def chances_within(
    followers: Mapping[int, float], seconds: float, clump: float = 1.0
) -> tuple[float, ...]:
    """At index n the chance that n or more come in those seconds of a minute: a mixture of
    distributions, one for each count that it may have, by weight."""
    total = sum(followers.values())
    weights = [weight / total for count, weight in followers.items() if count]
    tails = [tail(count * seconds / MINUTE_SECONDS, clump) for count in followers if count]
    chances = [1.0]
    for at_least in islice(zip_longest(*tails, fillvalue=0.0), 1, None):
        chance = sum(map(mul, weights, at_least))
        if chance < LEAST_CHANCE:
            break
        chances.append(chance)
    return tuple(chances)


@lru_cache(maxsize=1024)
def tail(mean: float, clump: float) -> tuple[float, ...]:
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


def most_with(chances: tuple[float, ...], least: float) -> int:
    """The most jobs that have a chance of `least` or more."""
    return max(0, bisect_right(chances, -least, key=neg) - 1)
