"""SageMaker asynchronous inference: target tracking on its backlog, and a step from zero.

Target tracking has no data point without an instance, so an endpoint at zero needs the second
policy: HasBacklogWithoutCapacity adds one. Source: Amazon SageMaker developer guide,
async-inference-autoscale at 84d0522 and async-inference-monitor (the backlog counts items being
processed); cooldowns: Application Auto Scaling's defaults of 300 s; the step's alarm of two minutes
is common in published deployments, unverified.
"""

import math
from dataclasses import dataclass, field

from simulator.peers.counts import bounded
from simulator.peers.target_tracking import TargetTracking
from simulator.rules import Contestant, View


def backlog_size_per_instance(view: View) -> float | None:
    """ApproximateBacklogSizePerInstance: items waiting or being processed, per instance."""
    return (view.visible + view.in_flight) / view.in_service if view.in_service else None


@dataclass(slots=True)
class AsyncEndpoint:
    """Both policies together; it remembers its alarms' data points and its last activities.

    During the cooldown after a scale-out, target tracking still goes to what is larger.
    """

    target: float = 5.0
    scale_in_cooldown_seconds: float = 300.0
    step_cooldown_seconds: float = 300.0
    step_data_points: int = 2
    _tracking: TargetTracking = field(init=False)
    _stranded_data_points: int = 0
    _last_step: float = -math.inf
    _last_change: float = -math.inf

    def __post_init__(self) -> None:
        self._tracking = TargetTracking(target=self.target, metric=backlog_size_per_instance)

    def decide(self, view: View) -> int | None:
        step = self._step(view)
        tracked = self._tracking.decide(view)
        capacity = max((c for c in (step, tracked) if c is not None), default=view.desired)
        if capacity == view.desired:
            return None
        cooling = view.now - self._last_change < self.scale_in_cooldown_seconds
        if capacity < view.desired and cooling:
            return None
        self._last_change = view.now
        return capacity

    def _step(self, view: View) -> int | None:
        """One more while there is a backlog and not a single instance."""
        stranded = view.in_service == 0 and view.visible > 0
        self._stranded_data_points = self._stranded_data_points + 1 if stranded else 0
        if self._stranded_data_points < self.step_data_points:
            return None
        if view.now - self._last_step < self.step_cooldown_seconds:
            return None
        self._last_step = view.now
        return bounded(view.desired + 1, view)


SOURCE = "SageMaker developer guide 84d0522: async-inference-autoscale"


def _tuned() -> AsyncEndpoint:
    return AsyncEndpoint(
        target=1, scale_in_cooldown_seconds=0, step_cooldown_seconds=0, step_data_points=1
    )


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="sagemaker-async",
        make=AsyncEndpoint,
        every_seconds=60,
        memory_seconds=1260,
        look_delay_seconds=60,
        kills_busy=False,  # nothing is published on whom scale-in takes
        source=SOURCE,
    ),
    Contestant(
        name="sagemaker-async-tuned",
        make=_tuned,
        every_seconds=60,
        memory_seconds=960,
        look_delay_seconds=60,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
