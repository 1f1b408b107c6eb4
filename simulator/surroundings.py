"""What surrounds every contestant alike: the group, its pool, how long things take.

Durations of the group and of EC2 are those of `local.group.latency`, those of the operating system
of `local.instances.latency`: published recordings, named there. Each is drawn within `SPREAD` of
its value, so that no two instances keep step.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from local.group.latency import Delay, published
from local.instances.latency import Latency as InstanceLatency

SPREAD = (0.8, 1.3)
_LOWEST, _SPAN = SPREAD[0], SPREAD[1] - SPREAD[0]
SETUP_SECONDS = 240.0
"""User data with pip and PyTorch, and the readiness check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Sizes are instances; `setup_seconds` is the middle of what a first boot takes to be ready.

    `idle_seconds` is how long a peer's worker keeps its protection when it has no job; ours brings
    its own. `prepared` is MaxGroupPreparedCapacity: instances of group and pool together that are
    set up.
    `capacity_error_probability` is that of InsufficientInstanceCapacity, for each launch and start.
    `starts_per_second` and `calls_per_second` are limits of EC2 and of Auto Scaling's API
    (limits.py); None is none.
    """

    min_size: int = 0
    max_size: int = 1000
    prepared: int = 100
    instance_type: str = "g4dn.xlarge"
    volume_gigabytes: int = 30
    capacity_error_probability: float = 0.0
    starts_per_second: float | None = None
    calls_per_second: float | None = None
    setup_seconds: float = SETUP_SECONDS
    idle_seconds: float = 15.0
    seed: int = 1


class Durations:
    """Seconds, drawn anew at each question."""

    # From an event of the group to the completed lifecycle action: EventBridge, queue, function.
    HOOK_SECONDS = 2.0
    # A drain of an idle worker: the same, and one SSM command.
    DRAIN_SECONDS = 5.0
    # Worker process and `import torch`, from a disk that has been read before.
    WORKER_SECONDS = 4.0
    # An unprotected worker looks at the queue this often: pilotlight.worker.loop_state.
    LOOK_SECONDS = 2.0

    def __init__(self, random: Random, setup_seconds: float = SETUP_SECONDS) -> None:
        self._random = random
        self._draw = random.random
        self._setup_seconds = setup_seconds
        self._group = published()
        self._instance = InstanceLatency()

    def group(self, delay: Delay) -> float:
        return self._spread(self._group(delay))

    def hook(self) -> float:
        return self._spread(self.HOOK_SECONDS)

    def drain(self) -> float:
        return self._spread(self.DRAIN_SECONDS)

    def setup(self) -> float:
        """The first boot, from running to ready."""
        spread = self._random.lognormvariate(0.0, 0.25)
        return self._spread(self._instance.operating_system) + self._setup_seconds * spread

    def boot(self) -> float:
        """A later boot, from running to a worker that can receive."""
        return self._spread(self._instance.operating_system + self.WORKER_SECONDS)

    def notice(self) -> float:
        """Until an unprotected worker has seen the queue and is protected again."""
        return self._random.uniform(0.0, self.LOOK_SECONDS) + 0.3

    def _spread(self, seconds: float) -> float:
        return seconds * (_LOWEST + _SPAN * self._draw())
