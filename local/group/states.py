"""The lifecycle states of an instance and the six transitions between them.

Strings are AWS's own (botocore, autoscaling LifecycleState). The table of transitions is that of
the EC2 Auto Scaling user guide, pages lifecycle-hooks and warm-pools-eventbridge-events; the last
two rows, which the samples there leave out, are as recorded from the live service.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class LifecycleState(StrEnum):
    PENDING = "Pending"
    PENDING_WAIT = "Pending:Wait"
    PENDING_PROCEED = "Pending:Proceed"
    IN_SERVICE = "InService"
    TERMINATING = "Terminating"
    TERMINATING_WAIT = "Terminating:Wait"
    TERMINATING_PROCEED = "Terminating:Proceed"
    TERMINATED = "Terminated"
    WARMED_PENDING = "Warmed:Pending"
    WARMED_PENDING_WAIT = "Warmed:Pending:Wait"
    WARMED_PENDING_PROCEED = "Warmed:Pending:Proceed"
    WARMED_TERMINATING = "Warmed:Terminating"
    WARMED_TERMINATING_WAIT = "Warmed:Terminating:Wait"
    WARMED_TERMINATING_PROCEED = "Warmed:Terminating:Proceed"
    WARMED_TERMINATED = "Warmed:Terminated"
    WARMED_STOPPED = "Warmed:Stopped"
    WARMED_RUNNING = "Warmed:Running"
    WARMED_HIBERNATED = "Warmed:Hibernated"


class PoolState(StrEnum):
    """What the pool keeps its instances in."""

    STOPPED = "Stopped"
    RUNNING = "Running"
    HIBERNATED = "Hibernated"

    @property
    def settled(self) -> LifecycleState:
        return _SETTLED[self]


_SETTLED = {state: LifecycleState(f"Warmed:{state.value}") for state in PoolState}


class Place(StrEnum):
    """Origin and Destination of a lifecycle action."""

    EC2 = "EC2"
    WARM_POOL = "WarmPool"
    GROUP = "AutoScalingGroup"


class HookKind(StrEnum):
    """LifecycleTransition of a hook."""

    LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
    TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


@dataclass(frozen=True)  # without slots, for what is worked out once
class Transition:
    """One row: where an instance comes from, where it goes, the states on the way and the steady
    one that it leads to: None for that of the pool."""

    origin: Place
    destination: Place
    hook_kind: HookKind
    begin: LifecycleState
    wait: LifecycleState
    proceed: LifecycleState
    end: LifecycleState | None
    description: str

    @cached_property
    def launches(self) -> bool:
        return self.hook_kind is HookKind.LAUNCHING

    @cached_property
    def joins(self) -> bool:
        """Whether it leads into service."""
        return self.destination is Place.GROUP

    @cached_property
    def terminates(self) -> bool:
        return self.destination is Place.EC2


def _states(begin: LifecycleState) -> tuple[LifecycleState, LifecycleState, LifecycleState]:
    return begin, LifecycleState(f"{begin}:Wait"), LifecycleState(f"{begin}:Proceed")


_LAUNCHING, _TERMINATING = HookKind.LAUNCHING, HookKind.TERMINATING
_PENDING = _states(LifecycleState.PENDING)
_WARMED_PENDING = _states(LifecycleState.WARMED_PENDING)

ENTER_POOL = Transition(
    Place.EC2,
    Place.WARM_POOL,
    _LAUNCHING,
    *_WARMED_PENDING,
    None,
    "Launching a new EC2 instance into warm pool",
)
LEAVE_POOL = Transition(
    Place.WARM_POOL,
    Place.GROUP,
    _LAUNCHING,
    *_PENDING,
    LifecycleState.IN_SERVICE,
    "Launching a new EC2 instance from warm pool",
)
LAUNCH = Transition(
    Place.EC2,
    Place.GROUP,
    _LAUNCHING,
    *_PENDING,
    LifecycleState.IN_SERVICE,
    "Launching a new EC2 instance",
)
# AWS publishes no description for this row.
RETURN_TO_POOL = Transition(
    Place.GROUP,
    Place.WARM_POOL,
    _TERMINATING,
    *_WARMED_PENDING,
    None,
    "Returning EC2 instance to warm pool",
)
TERMINATE = Transition(
    Place.GROUP,
    Place.EC2,
    _TERMINATING,
    *_states(LifecycleState.TERMINATING),
    LifecycleState.TERMINATED,
    "Terminating EC2 instance",
)
TERMINATE_WARM = Transition(
    Place.WARM_POOL,
    Place.EC2,
    _TERMINATING,
    *_states(LifecycleState.WARMED_TERMINATING),
    LifecycleState.WARMED_TERMINATED,
    "Terminating EC2 instance",
)

# Members that count as capacity of the group, and those that count as prepared in the pool.
GROUP_ACTIVE = (*_PENDING, LifecycleState.IN_SERVICE)
GROUP_LEAVING = _states(LifecycleState.TERMINATING)
POOL_SETTLED = tuple(state.settled for state in PoolState)
POOL_ACTIVE = (*_WARMED_PENDING, *POOL_SETTLED)
POOL_LEAVING = _states(LifecycleState.WARMED_TERMINATING)

_POOL_STATES = frozenset((*POOL_ACTIVE, *POOL_LEAVING))


def is_warm(state: LifecycleState) -> bool:
    """Whether an instance in this state is a member of the warm pool, not of the group."""
    return state in _POOL_STATES


def target_state(transition: Transition, pool_state: PoolState) -> LifecycleState:
    """The steady state that a transition leads to, as IMDS target-lifecycle-state tells it."""
    return pool_state.settled if transition.end is None else transition.end
