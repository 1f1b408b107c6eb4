"""What an alarm watches for: M out of N periods beyond a threshold."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

# How many periods beyond EvaluationPeriods are looked at when data is missing. AWS leaves the exact
# number open; the worked examples of the guide use 5 for 3.
_EXTRA_PERIODS = 2

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
COMPARISON_OPERATORS = frozenset(_COMPARISONS)


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """M (`datapoints_to_alarm`) out of N (`evaluation_periods`) against a threshold."""

    comparison_operator: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: str

    @property
    def evaluation_range(self) -> int:
        """How many of the latest periods are looked at."""
        return self.evaluation_periods + _EXTRA_PERIODS

    def is_breaching(self, value: float) -> bool:
        return _COMPARISONS[self.comparison_operator](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Datapoint:
    """A period's value; `timestamp` is the start of the period."""

    timestamp: float
    value: float
