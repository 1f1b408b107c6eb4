"""Traces made to the statistics of published ones, for a machine that has none of those.

Bursty is like the one-GPU jobs of a busy week on Microsoft's Philly cluster (ATC'19): batches, a
daily cycle, variance over mean per minute about 24, jobs of a quarter of an hour. Steady is like a
day of conversations with a language model on Azure (ISCA'24), stretched: nearly Poisson.
"""

from __future__ import annotations

import math
from random import Random

from simulator.trace import Trace

DAY_SECONDS = 86_400.0
LONGEST_JOB_SECONDS = 1800.0
SHORTEST_JOB_SECONDS = 10.0
BATCH_SECONDS = 20.0


def bursty(seed: int = 1, days: float = 7.0) -> Trace:
    """Batches of 12 jobs on average, geometrically distributed: variance over mean 2 x 12 - 1."""
    random = Random(f"bursty {seed}")
    jobs = []
    for start in _poisson_process(random, per_day=112.0, swing=0.6, days=days):
        size = 1 + int(math.log(1.0 - random.random()) / math.log(1.0 - 1.0 / 12.0))
        for _ in range(size):
            arrival = start + random.uniform(0.0, BATCH_SECONDS)
            jobs.append((arrival, _service(random, median_seconds=800.0, sigma=1.1)))
    return _trace("bursty", jobs)


def steady(seed: int = 1, days: float = 1.0, jobs_per_day: float = 9700.0) -> Trace:
    random = Random(f"steady {seed}")
    starts = _poisson_process(random, per_day=jobs_per_day, swing=0.1, days=days)
    return _trace(
        "steady", [(start, _service(random, median_seconds=110.0, sigma=0.55)) for start in starts]
    )


def _poisson_process(random: Random, per_day: float, swing: float, days: float) -> list[float]:
    """Moments at a rate that swings by that share around its mean once a day (by thinning)."""
    highest = per_day * (1.0 + swing) / DAY_SECONDS
    moments, now = [], 0.0
    while (now := now + random.expovariate(highest)) < days * DAY_SECONDS:
        cycle = 1.0 + swing * math.sin(2.0 * math.pi * now / DAY_SECONDS)
        if random.random() * (1.0 + swing) < cycle:
            moments.append(now)
    return moments


def _service(random: Random, median_seconds: float, sigma: float) -> float:
    drawn = random.lognormvariate(math.log(median_seconds), sigma)
    return round(min(max(drawn, SHORTEST_JOB_SECONDS), LONGEST_JOB_SECONDS), 2)


def _trace(name: str, jobs: list[tuple[float, float]]) -> Trace:
    jobs.sort()
    return Trace(
        name,
        tuple(round(arrival, 3) for arrival, _ in jobs),
        tuple(service for _, service in jobs),
    )
