"""What the arrivals of the last hours let expect while an instance starts.

The next moments are taken to be like one of the minutes before, recent ones more likely. So a
lasting burst is followed, and a rare one is not paid for long after it has passed.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

MINUTE_SECONDS = 60.0
FORECAST_MINUTES = 60
HALF_LIFE_MINUTES = 4.0
COMPANY_MINUTES = 360
LEAST_CHANCE = 0.01
"""What is less likely is not expected at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalHistory:
    """Jobs sent in each full minute, the oldest first; the newest may be some minutes old.

    `service_seconds` is the mean time that a job works, above 0, None while nothing tells it.
    """

    per_minute: tuple[int, ...]
    service_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`chances[n]` is the chance that at least n jobs come while an instance starts; falls.

    `company` is the share of the jobs that came with another within their minute.
    """

    chances: tuple[float, ...]
    company: float
    service_seconds: float | None

    def jobs_with_chance(self, least: float) -> int:
        """The most jobs of which all are needed with a chance of `least` or more."""
        return max(n for n, chance in enumerate(self.chances) if n == 0 or chance >= least)


NOTHING_KNOWN = Forecast(chances=(1.0,), company=0.0, service_seconds=None)


@lru_cache(maxsize=8)
def foresee(history: ArrivalHistory, start_seconds: float) -> Forecast:
    """`start_seconds`: from the decision to a worker that receives."""
    return Forecast(
        chances=_chances(history.per_minute[-FORECAST_MINUTES:], start_seconds),
        company=_company(history.per_minute[-COMPANY_MINUTES:]),
        service_seconds=history.service_seconds,
    )


def _chances(per_minute: tuple[int, ...], start_seconds: float) -> tuple[float, ...]:
    """A mixture of Poisson distributions, one for each past minute, weighted by its recency."""
    weights: dict[int, float] = defaultdict(float)
    for age, count in enumerate(reversed(per_minute)):
        weights[count] += 0.5 ** (age / HALF_LIFE_MINUTES)
    total = sum(weights.values())
    tails = [
        (weight / total, _poisson_tail(count * start_seconds / MINUTE_SECONDS))
        for count, weight in weights.items()
        if count
    ]
    chances = [1.0]
    while True:
        at_least = len(chances)
        chance = sum(weight * tail[at_least] for weight, tail in tails if at_least < len(tail))
        if chance < LEAST_CHANCE:
            return tuple(chances)
        chances.append(chance)


@lru_cache(maxsize=1024)
def _poisson_tail(mean: float) -> tuple[float, ...]:
    """At index n the chance of n or more; ends where that no longer matters.

    Logarithms, because exp(-mean) is 0 for a mean of some hundreds.
    """
    cumulated, tail, n = 0.0, [1.0], 0
    while tail[-1] >= LEAST_CHANCE / 2 or n < mean:
        cumulated += math.exp(n * math.log(mean) - mean - math.lgamma(n + 1))
        tail.append(max(0.0, 1.0 - cumulated))
        n += 1
    return tuple(tail)


def _company(per_minute: tuple[int, ...]) -> float:
    jobs = sum(per_minute)
    return sum(count for count in per_minute if count > 1) / jobs if jobs else 0.0
