"""What a scaling policy makes of the capacity there is."""

from __future__ import annotations

import pytest

from local.group.errors import ValidationError
from local.services.autoscaling_policy import ScalingPolicy

STEPS = [
    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 3},
    {"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -1},
]


def policy(
    adjustment_type: str, policy_type: str = "SimpleScaling", **more: object
) -> ScalingPolicy:
    return ScalingPolicy("p", "arn", policy_type, adjustment_type, more)


@pytest.mark.parametrize(
    ("adjustment_type", "adjustment", "least", "capacity"),
    [
        pytest.param("ExactCapacity", 7, 0, 7, id="exact"),
        pytest.param("ChangeInCapacity", -2, 0, 8, id="change"),
        pytest.param("PercentChangeInCapacity", 25, 0, 12, id="2.5 becomes 2"),
        pytest.param("PercentChangeInCapacity", 1, 0, 11, id="0.1 becomes 1"),
        pytest.param("PercentChangeInCapacity", -1, 0, 9, id="-0.1 becomes -1"),
        pytest.param("PercentChangeInCapacity", 10, 4, 14, id="at least the magnitude"),
        pytest.param("PercentChangeInCapacity", -10, 4, 6, id="at least the magnitude, down"),
    ],
)
def test_an_adjustment_of_ten_instances(
    adjustment_type: str, adjustment: int, least: int, capacity: int
) -> None:
    simple = policy(adjustment_type, ScalingAdjustment=adjustment, MinAdjustmentMagnitude=least)
    assert simple.capacity(10, None, None) == capacity


@pytest.mark.parametrize(
    ("metric", "capacity"),
    [(100.0, 11), (109.9, 11), (110.0, 13), (500.0, 13), (99.9, 9), (0.0, 9)],
)
def test_the_step_that_holds_the_breach_decides(metric: float, capacity: int) -> None:
    step = policy("ChangeInCapacity", "StepScaling", StepAdjustments=STEPS)
    assert step.capacity(10, metric, 100.0) == capacity


def test_a_step_policy_needs_the_metric() -> None:
    step = policy("ChangeInCapacity", "StepScaling", StepAdjustments=STEPS)
    with pytest.raises(ValidationError, match="MetricValue and BreachThreshold are required"):
        step.capacity(10, None, 100.0)


def test_what_cannot_be_done_is_refused_when_it_is_put() -> None:
    with pytest.raises(ValidationError, match="TargetTrackingScaling is not supported"):
        policy("", "TargetTrackingScaling")
    with pytest.raises(ValidationError, match="ScalingAdjustment is required"):
        policy("ExactCapacity")
