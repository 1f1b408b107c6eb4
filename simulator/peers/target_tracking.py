"""AWS target tracking on the backlog per instance, as EC2 Auto Scaling's guide for SQS sets it up.

The metric is waiting messages per instance in service, the target the longest wait that is accepted
divided by the mean time of a job. Source: AWS EC2 Auto Scaling user guide, as-using-sqs-queue,
ec2-auto-scaling-target-tracking-metric-math and as-scaling-target-tracking at 6c46a78. The guide
leaves alarm timing at "a few minutes": three data points above the target and fifteen below 90 % of
it are what its generated alarms are seen to use, unverified.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulator.peers.counts import bounded
from simulator.rules import Contestant, View

HIGH_DATA_POINTS = 3
LOW_DATA_POINTS = 15
LOW_SHARE = 0.9  # of the target: below it the group is larger than it need be

Metric = Callable[[View], float | None]
"""The tracked metric; None where CloudWatch has no data point."""


def backlog_per_instance(view: View) -> float | None:
    """m1/m2: waiting messages per instance in service; no data point without an instance."""
    return view.visible / view.in_service if view.in_service else None


def backlog_if_none_in_service(view: View) -> float | None:
    """IF(m2>0, m1/m2, m1): the same, but the whole backlog where there is no instance."""
    return view.visible / view.in_service if view.in_service else float(view.visible)


def unfinished_if_none_in_service(view: View) -> float | None:
    """The same for a metric one publishes oneself: waiting messages and those being worked on.

    Half a message more at zero: the alarm needs more than the target, and one job is just it.
    """
    unfinished = view.visible + view.in_flight
    if view.in_service:
        return unfinished / view.in_service
    return unfinished + 0.5 if unfinished else 0.0


def proportional_capacity(metric: float, instances: int, target: float) -> int:
    """Capacity that brings the metric to its target, rounded up.

    What is proportional to zero is not published; here it is as if one instance were there, rounded
    down, one at least.
    """
    if instances == 0:
        return max(1, math.floor(metric / target))
    return math.ceil(instances * metric / target)


def all_beyond(data_points: Sequence[float], count: int, beyond: Callable[[float], bool]) -> bool:
    """Whether the alarm is in ALARM: its last `count` data points all breach."""
    return len(data_points) >= count and all(map(beyond, list(data_points)[-count:]))


@dataclass(slots=True)
class TargetTracking:
    """The rule; a look is a data point, and it remembers as many as its alarms do.

    `min_capacity` is the MinSize without which the plain metric could never leave zero. Instances
    that warm up are part of desired capacity, so it is only ever raised to what is larger.
    """

    target: float = 1.0
    metric: Metric = backlog_per_instance
    min_capacity: int = 0
    _data_points: deque[float] = field(default_factory=lambda: deque(maxlen=LOW_DATA_POINTS))

    def decide(self, view: View) -> int | None:
        if view.desired < self.min_capacity:
            return bounded(self.min_capacity, view)
        metric = self.metric(view)
        if metric is None:
            self._data_points.clear()  # INSUFFICIENT_DATA: neither alarm goes off
            return None
        self._data_points.append(metric)
        return self._capacity(metric, view)

    def _capacity(self, metric: float, view: View) -> int | None:
        wanted = proportional_capacity(metric, view.in_service, self.target)
        if all_beyond(self._data_points, HIGH_DATA_POINTS, lambda m: m > self.target):
            return bounded(max(view.desired, wanted), view)
        low = LOW_SHARE * self.target
        if all_beyond(self._data_points, LOW_DATA_POINTS, lambda m: m < low):
            return bounded(max(self.min_capacity, min(view.desired, wanted)), view)
        return None


SOURCE = "EC2 Auto Scaling user guide 6c46a78: as-using-sqs-queue; alarm timing unverified"


def _tuned() -> TargetTracking:
    return TargetTracking(metric=unfinished_if_none_in_service)


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="target-tracking",
        make=lambda: TargetTracking(min_capacity=1),
        every_seconds=60,
        memory_seconds=960,
        look_delay_seconds=60,
        kills_busy=False,  # workers protect themselves while they work, as the guide shows
        source=SOURCE,
    ),
    Contestant(
        name="target-tracking-tuned",
        make=_tuned,
        every_seconds=10,  # the shortest period a high-resolution metric is tracked by
        memory_seconds=160,
        look_delay_seconds=10,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
