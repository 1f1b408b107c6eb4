"""Metric data: what was published, and the statistics of it per period."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Series = dict[float, float]
"""Values by the start of their period, in epoch seconds."""

# A sample at the very start of a period must not fall into the one before by a rounding error.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Sample:
    """One published value (`count` times), or a statistic set. `timestamp` is in epoch seconds."""

    timestamp: float
    count: float
    total: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Consecutive periods: the first starts at `start`, each lasts `period_seconds`, real ones."""

    start: float
    period_seconds: float
    periods: int

    def times(self) -> list[float]:
        return [self.start + i * self.period_seconds for i in range(self.periods)]

    def index(self, timestamp: float) -> int | None:
        """Which period a moment falls into; None outside."""
        number = math.floor((timestamp - self.start) / self.period_seconds + _ROUNDING)
        return number if 0 <= number < self.periods else None


def sorted_into(grid: Grid, samples: Iterable[Sample]) -> dict[float, list[Sample]]:
    """The samples of each period that has any, by the start of the period, in order."""
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        index = grid.index(sample.timestamp)
        if index is not None:
            found.setdefault(index, []).append(sample)
    return {grid.start + i * grid.period_seconds: found[i] for i in sorted(found)}


def series(grid: Grid, samples: Iterable[Sample], statistic_name: str) -> Series:
    """One statistic per period; a period without data has no entry."""
    values = {
        time: statistic(of_period, statistic_name)
        for time, of_period in sorted_into(grid, samples).items()
    }
    return {time: value for time, value in values.items() if value is not None}


def statistic(samples: Sequence[Sample], name: str) -> float | None:
    """SampleCount, Sum, Average, Minimum, Maximum or a percentile such as p95 or p99.9.

    None when there is no such value: no samples, or a percentile of statistic sets or of negative
    values (CloudWatch user guide, "Statistics definitions").
    """
    count = sum(s.count for s in samples)
    if count <= 0:
        return None
    if name == "SampleCount":
        return count
    if name == "Sum":
        return sum(s.total for s in samples)
    if name == "Average":
        return sum(s.total for s in samples) / count
    if name == "Minimum":
        return min(s.minimum for s in samples)
    if name == "Maximum":
        return max(s.maximum for s in samples)
    return _percentile(samples, percentage(name))


def percentage(name: str) -> float:
    """95.0 of `p95`; raises ValueError for what is no statistic at all."""
    try:
        value = float(name[1:]) if name[:1] == "p" else -1.0
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise ValueError(f"{name!r} is not a statistic")
    return value


def _percentile(samples: Sequence[Sample], percent: float) -> float | None:
    """Linear interpolation between the nearest ranks, a value counting as often as published."""
    if any(s.minimum != s.maximum or s.minimum < 0 for s in samples):
        return None
    ordered = sorted((s.minimum, s.count) for s in samples)
    rank = percent / 100 * (sum(count for _, count in ordered) - 1)
    low, high = _at_rank(ordered, math.floor(rank)), _at_rank(ordered, math.ceil(rank))
    return low + (high - low) * (rank - math.floor(rank))


def _at_rank(ordered: Sequence[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if rank < seen:
            return value
    return ordered[-1][0]
