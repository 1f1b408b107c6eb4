"""Messages sent to a queue in each period, as CloudWatch counts them, made into jobs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from simulator.services import ServiceTimes
from simulator.trace import Trace

MOST_JOBS = 5_000_000
LEAST_SERVICE_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class SentCounts:
    """`sent` has the begin of each period that was reported (epoch seconds) with its messages."""

    sent: tuple[tuple[float, int], ...]
    period_seconds: float


def sent_counts(
    values: Iterable[tuple[float, float]], period_seconds: float | None = None
) -> SentCounts:
    """From (epoch seconds, Sum) in any order; the length of a period is told by their distances
    where nobody knows it. Raises ValueError saying what is wrong with them."""
    by_start: dict[float, int] = {}
    for start, value in values:
        count = round(value)
        if count < 0 or not math.isclose(count, value, abs_tol=1e-6):
            raise ValueError(f"{value:g} is no number of messages; export the statistic Sum")
        by_start[start] = by_start.get(start, 0) + count
    total = sum(by_start.values())
    if not total:
        raise ValueError("no message was sent in that time; take another")
    if total > MOST_JOBS:
        raise ValueError(f"{total:,} messages are more than {MOST_JOBS:,}; take a shorter time")
    period_seconds = period_seconds or _period(sorted(by_start))
    return SentCounts(tuple(sorted(by_start.items())), period_seconds)


def trace_of(name: str, counts: SentCounts, services: ServiceTimes, seed: int) -> Trace:
    """Jobs come at random moments of the period in which they were counted."""
    random = Random(f"{seed} sent counts")
    arrivals = tuple(round(moment, 3) for moment in _moments(counts, random))
    worked = tuple(
        max(LEAST_SERVICE_SECONDS, round(services.draw(random), 3)) for _ in range(len(arrivals))
    )
    return Trace(name, arrivals, worked)


def _moments(counts: SentCounts, random: Random) -> Iterator[float]:
    begin = counts.sent[0][0]
    for start, count in counts.sent:
        yield from sorted(
            start - begin + random.random() * counts.period_seconds for _ in range(count)
        )


def _period(starts: list[float]) -> float:
    """What all begins are multiples of from the first: periods may lack a report."""
    if len(starts) < 2:
        raise ValueError("a single period does not tell how long it is; export a longer time")
    gaps = (round(later - earlier) for earlier, later in pairwise(starts))
    return float(math.gcd(*gaps) or 1)
