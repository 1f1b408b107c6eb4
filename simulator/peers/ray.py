"""Ray's cluster launcher on AWS: launches in proportion to the cluster, stops what is idle.

Idle nodes are stopped after `idle_timeout_minutes` and kept (`cache_stopped_nodes`), the pattern of
a warm pool (`Contestant.worker_idle_exit_seconds`). Source: ray-project/ray,
python/ray/autoscaler/aws/defaults.yaml and the cluster YAML reference (upscaling_speed).
"""

import math
from dataclasses import dataclass

from simulator.peers.counts import bounded, starting
from simulator.rules import Contestant, View

MIN_PENDING_LAUNCHES = 5


def launches(needed: int, nodes: int, pending: int, upscaling_speed: float) -> int:
    """Nodes to launch now: `needed` more, but so many pending at once at most."""
    allowed = max(MIN_PENDING_LAUNCHES, math.ceil(upscaling_speed * nodes))
    return max(0, min(needed, allowed - pending))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAutoscaler:
    """The rule, without memory; each node runs one job."""

    upscaling_speed: float = 1.0

    def decide(self, view: View) -> int | None:
        needed = view.visible + view.in_flight - view.desired
        new = launches(needed, view.in_service, starting(view), self.upscaling_speed)
        return bounded(view.desired + new, view) if new else None


SOURCE = "ray-project/ray: autoscaler/aws/defaults.yaml, cluster YAML reference"


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="ray",
        make=ClusterAutoscaler,
        every_seconds=5,  # AUTOSCALER_UPDATE_INTERVAL_S
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=300,  # idle_timeout_minutes
        source=SOURCE,
    ),
    Contestant(
        name="ray-tuned",
        make=lambda: ClusterAutoscaler(upscaling_speed=1000),
        every_seconds=5,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,
        source=SOURCE,
        tuned=True,
    ),
)
