"""GitLab's taskscaler (fleeting): slots in use, slots asked for, and idle slots kept for more.

Source: gitlab-runner, docs/configuration/advanced-configuration.md ([[runners.autoscaler.policy]]),
docs/executors/instance.md, executors/internal/autoscaler/provider.go; the arithmetic rebuilt from
them, from the capacity it logs and from taskscaler's merge requests 49 and 60. Merge request 60's
cap on reservations limits what its runner takes from GitLab, which a queue of ours has no part in.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.peers.counts import bounded
from simulator.peers.idleness import IdleInstances
from simulator.rules import Contestant, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One autoscaler policy; counts are job slots, not instances."""

    capacity_per_instance: int = 1
    idle_count: int = 0
    idle_time_seconds: float = 20 * 60.0
    scale_factor: float = 0.0
    scale_factor_limit: int = 0


class Slots(NamedTuple):
    """Job slots: running a job, asked for by a taken job, and on instances that are no use."""

    acquired: int = 0
    reserved: int = 0
    unavailable: int = 0


def idle_slots(in_use: int, policy: Policy) -> int:
    """Idle slots to have ready."""
    if policy.scale_factor == 0:
        return policy.idle_count
    scaled = math.ceil(in_use * policy.scale_factor)
    return min(max(policy.idle_count, scaled), policy.scale_factor_limit)


def wanted_instances(slots: Slots, policy: Policy, max_instances: int) -> int:
    needed = slots.acquired + slots.reserved + slots.unavailable
    needed += idle_slots(slots.acquired, policy)
    return min(max_instances, math.ceil(needed / policy.capacity_per_instance))


@dataclass(slots=True)
class Taskscaler:
    """The rule, not preemptive: jobs are taken first and wait for their slot.

    It remembers how long instances have been idle; one goes after `idle_time_seconds` when the idle
    slots to have ready do not need it.
    """

    policy: Policy = field(default_factory=Policy)
    _idle: IdleInstances = field(init=False)

    def __post_init__(self) -> None:
        self._idle = IdleInstances(self.policy.idle_time_seconds)

    def decide(self, view: View) -> int | None:
        removable = self._idle.removable(view)
        slots = Slots(acquired=view.in_flight, reserved=view.visible)
        wanted = wanted_instances(slots, self.policy, view.max_size)
        if wanted > view.desired:
            return bounded(wanted, view)
        return bounded(max(wanted, view.desired - removable), view)


SOURCE = "gitlab-runner: docs/configuration/advanced-configuration.md; taskscaler MR 49, 60"


def _tuned() -> Taskscaler:
    return Taskscaler(
        Policy(idle_count=1, idle_time_seconds=120, scale_factor=0.2, scale_factor_limit=100)
    )


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="gitlab-taskscaler",
        make=Taskscaler,
        every_seconds=3,  # check_interval
        memory_seconds=1200,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
    ),
    Contestant(
        name="gitlab-taskscaler-tuned",
        make=_tuned,
        every_seconds=3,
        memory_seconds=120,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
