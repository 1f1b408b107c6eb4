"""Scaling policies: the capacity that one asks for, given the capacity there is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.group.errors import ValidationError

SIMPLE, STEP = "SimpleScaling", "StepScaling"
ADJUSTMENT_TYPES = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """A policy as PutScalingPolicy left it; `properties` are its other API members."""

    name: str
    arn: str
    policy_type: str
    adjustment_type: str
    properties: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.policy_type not in (SIMPLE, STEP):
            raise ValidationError(
                f"PolicyType {self.policy_type} is not supported by this embedded AWS: "
                f"use {SIMPLE} or {STEP}."
            )
        if self.adjustment_type not in ADJUSTMENT_TYPES:
            raise ValidationError(
                f"AdjustmentType {self.adjustment_type or 'null'} must be one of "
                f"{', '.join(ADJUSTMENT_TYPES)}."
            )
        needed = "ScalingAdjustment" if self.policy_type == SIMPLE else "StepAdjustments"
        if needed not in self.properties:
            raise ValidationError(f"{needed} is required for PolicyType {self.policy_type}.")

    @property
    def enabled(self) -> bool:
        return bool(self.properties.get("Enabled", True))

    def capacity(self, current: int, metric_value: float | None, breach: float | None) -> int:
        """The capacity wanted, not bounded yet.

        A step policy picks the step that holds `metric_value` - `breach` (user guide,
        as-scaling-simple-step); raises ValidationError when these are missing.
        """
        if self.policy_type == SIMPLE:
            return self._adjusted(current, self.properties["ScalingAdjustment"])
        if metric_value is None or breach is None:
            raise ValidationError(
                f"MetricValue and BreachThreshold are required to execute the step scaling "
                f"policy {self.name}."
            )
        for step in self.properties["StepAdjustments"]:
            lower = step.get("MetricIntervalLowerBound", -math.inf)
            upper = step.get("MetricIntervalUpperBound", math.inf)
            if _holds(lower, upper, metric_value - breach):
                return self._adjusted(current, step["ScalingAdjustment"])
        return current

    def _adjusted(self, current: int, adjustment: int) -> int:
        if self.adjustment_type == "ExactCapacity":
            return adjustment
        if self.adjustment_type == "ChangeInCapacity":
            return current + adjustment
        change = _rounded(current * adjustment / 100)
        least = self.properties.get("MinAdjustmentMagnitude", 0)
        if adjustment and abs(change) < least:
            change = int(math.copysign(least, adjustment))
        return current + change


def _holds(lower: float, upper: float, value: float) -> bool:
    """Above the threshold the lower bound belongs to a step, below it the upper bound does."""
    return lower <= value < upper if value >= 0 else lower < value <= upper


def _rounded(change: float) -> int:
    """AWS: beyond 1 rounds towards 0, between 0 and 1 becomes 1, and the same below 0."""
    if 0 < abs(change) < 1:
        return int(math.copysign(1, change))
    return int(change)
