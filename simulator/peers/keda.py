"""KEDA's aws-sqs-queue ScaledObject with the Kubernetes HorizontalPodAutoscaler (HPA) behind it.

KEDA itself wakes a deployment from zero and puts it back to zero; in between, the HPA follows the
queue length per replica. Source: kedacore/keda, pkg/scalers/aws_sqs_queue_scaler.go,
pkg/scaling/executor/scale_scaledobjects.go, apis/keda/v1alpha1/withtriggers_types.go at 8b4f083;
kubernetes, pkg/controller/podautoscaler/replica_calculator.go and
pkg/apis/autoscaling/v2/defaults.go.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from simulator.peers.counts import bounded
from simulator.rules import Contestant, View

HPA_SYNC_SECONDS = 15.0  # --horizontal-pod-autoscaler-sync-period
HPA_TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the ScaledObject, its trigger and its HPA behavior, by default KEDA's."""

    queue_length: float = 5.0  # messages per replica
    activation_queue_length: int = 0
    scale_on_in_flight: bool = True
    scale_on_delayed: bool = False
    polling_interval_seconds: float = 30.0
    cooldown_period_seconds: float = 300.0
    min_replica_count: int = 0
    scale_up_pods: float = 4  # the HPA may add so many in one period of 15 s ...
    scale_up_factor: float = 2  # ... or grow so many times, whichever is more
    scale_down_stabilization_seconds: float = 300.0


def queue_length(view: View, settings: Settings) -> int:
    """The queue's length as the trigger counts it."""
    in_flight = view.in_flight if settings.scale_on_in_flight else 0
    delayed = view.delayed if settings.scale_on_delayed else 0
    return view.visible + in_flight + delayed


def replicas_for(length: int, replicas: int, settings: Settings) -> int:
    """The HPA's recommendation for an external metric per pod; `replicas` > 0.

    Inside the tolerance nothing changes. Not yet limited by speed, stabilization or bounds.
    """
    ratio = length / (settings.queue_length * replicas)
    if abs(1 - ratio) <= HPA_TOLERANCE:
        return replicas
    return math.ceil(length / settings.queue_length)


def scale_up_limit(replicas: int, settings: Settings) -> float:
    """The most replicas the HPA allows at its next sync, one period after its last."""
    return max(replicas + settings.scale_up_pods, math.ceil(replicas * settings.scale_up_factor))


@dataclass(slots=True)
class HorizontalPodAutoscaler:
    """Follows the queue between one replica and the most; remembers its recommendations."""

    settings: Settings = field(default_factory=Settings)
    _recommended: deque[tuple[float, int]] = field(default_factory=deque)

    def replicas(self, view: View, replicas: int) -> int:
        wanted = replicas_for(queue_length(view, self.settings), replicas, self.settings)
        wanted = max(self.settings.min_replica_count, 1, bounded(wanted, view))
        highest = self._highest_recommendation(view.now, wanted)
        if wanted >= replicas:
            return int(min(wanted, scale_up_limit(replicas, self.settings)))
        return min(replicas, highest)

    def _highest_recommendation(self, now: float, wanted: int) -> int:
        """Of those younger than the stabilization window, `wanted` among them."""
        self._recommended.append((now, wanted))
        while self._recommended[0][0] <= now - self.settings.scale_down_stabilization_seconds:
            self._recommended.popleft()
        return max(replicas for _, replicas in self._recommended)


@dataclass(slots=True)
class ScaledObject:
    """The rule; looked at often enough for both of its loops, each keeps its own time."""

    settings: Settings = field(default_factory=Settings)
    _hpa: HorizontalPodAutoscaler = field(init=False)
    _last_active: float = -math.inf
    _next_poll: float = -math.inf
    _next_sync: float = -math.inf

    def __post_init__(self) -> None:
        self._hpa = HorizontalPodAutoscaler(self.settings)

    def decide(self, view: View) -> int | None:
        replicas = view.desired
        if view.now >= self._next_poll:
            self._next_poll = view.now + self.settings.polling_interval_seconds
            replicas = self._activate(view)
        if replicas != view.desired:
            return bounded(replicas, view)
        if replicas == 0 or view.now < self._next_sync:
            return None
        self._next_sync = view.now + HPA_SYNC_SECONDS
        return bounded(self._hpa.replicas(view, replicas), view)

    def _activate(self, view: View) -> int:
        """From zero when the trigger is active, to zero when it was not for the cooldown period."""
        active = queue_length(view, self.settings) > self.settings.activation_queue_length
        if active:
            self._last_active = view.now
        if active and view.desired == 0:
            return max(self.settings.min_replica_count, 1)
        cooled = view.now - self._last_active > self.settings.cooldown_period_seconds
        if not active and cooled and self.settings.min_replica_count == 0:
            return 0
        return view.desired


SOURCE = "keda 8b4f083: aws_sqs_queue_scaler.go, scale_scaledobjects.go; kubernetes: podautoscaler"


def _tuned() -> ScaledObject:
    return ScaledObject(
        Settings(
            queue_length=1,
            polling_interval_seconds=5,
            cooldown_period_seconds=60,
            scale_up_pods=float("inf"),
            scale_down_stabilization_seconds=60,
        )
    )


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="keda",
        make=ScaledObject,
        every_seconds=15,
        memory_seconds=600,
        look_delay_seconds=0,
        kills_busy=True,  # a deployment's victims are chosen without knowing who works
        source=SOURCE,
    ),
    Contestant(
        name="keda-tuned",
        make=_tuned,
        every_seconds=5,
        memory_seconds=120,
        look_delay_seconds=0,
        kills_busy=False,  # a grace period as long as a job, as KEDA advises for long ones
        source=SOURCE,
        tuned=True,
    ),
)
