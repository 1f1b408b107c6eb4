"""One scaling pass: look, decide, act."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pilotlight.errors import InstanceRefreshError, TransientError
from pilotlight.fleet.group import IN_SERVICE, LAUNCH, Group, GroupReader
from pilotlight.fleet.trial import Census
from pilotlight.fleet.waking import (
    NO_WAKING,
    WakeStep,
    Waking,
    WakingGroup,
    decide_waking,
    largest_capacity,
    may_concern,
)
from pilotlight.scaling.decision import (
    Decision,
    Observation,
    Policy,
    QueueDepth,
    Reason,
    desired_capacity,
)
from pilotlight.scaling.history import ArrivalHistory

# Members that will work: on their way in, and not yet able to be asked to leave.
_STARTING_STATES = frozenset({"Pending", "Pending:Wait", "Pending:Proceed"})


class CapacityGroup(GroupReader, WakingGroup, Protocol):
    """The group, as far as scaling goes."""

    def set_desired_capacity(self, capacity: int) -> None:
        """Absolute, hence safe to repeat. Raises TransientError while the group is contended."""
        ...


class DepthReader(Protocol):
    """GetQueueAttributes, one call. Asking also keeps an idle queue's metrics awake."""

    def depth(self) -> QueueDepth: ...


class HistoryReader(Protocol):
    """What was sent to the queue in the last hours, as far as metrics tell."""

    def history(self) -> ArrivalHistory | None:
        """None where there is none. Raises TransientError."""
        ...


@dataclass(frozen=True, slots=True)
class Pass:
    """What was seen and decided, for the log."""

    observation: Observation
    decision: Decision
    waking: Waking = NO_WAKING

    @property
    def changes_capacity(self) -> bool:
        return self.decision.capacity != self.observation.desired

    def log_fields(self) -> dict[str, Any]:
        seen, queue = self.observation, self.observation.queue
        return {
            "capacity": self.decision.capacity,
            "reason": self.decision.reason.value,
            "waking": self.waking.step.value,
            "desired": seen.desired,
            "min_size": seen.min_size,
            "max_size": seen.max_size,
            "visible": queue.visible if queue else None,
            "in_flight": queue.in_flight if queue else None,
            "delayed": queue.delayed if queue else None,
            "in_service": seen.in_service,
            "protected": seen.protected,
            "starting": seen.starting,
            "warm": seen.warm,
        }


def set_capacity(
    group: CapacityGroup, jobs: DepthReader, arrivals: HistoryReader, policy: Policy
) -> Pass:
    """Two calls (GetQueueAttributes, DescribeAutoScalingGroups), a third only for a change, and
    what the history costs; while the breaker holds launching, what waking takes besides.

    A depth that cannot be read holds the capacity; a group that cannot be read raises. Without a
    history the backlog alone decides, so none is read for a policy that foresees nothing.
    """
    history = past_arrivals(arrivals) if policy.waiting.foresees else None
    described, depth = group.describe(), _depth_or_unknown(jobs)
    observation = observe(described, depth, history)
    scaling_pass = Pass(observation, desired_capacity(observation, policy))
    if may_concern(described, scaling_pass.decision.capacity):
        there = Census.of(described, tuple(group.warm_pool()))
        observation = observe(described, depth, history, there)
        decision = desired_capacity(observation, policy)
        waking = decide_waking(described, there, decision.capacity)
        scaling_pass = Pass(observation, decision, waking)
    try:
        _act(scaling_pass, group)
    except InstanceRefreshError:  # the pool comes first, so nothing is done yet
        scaling_pass = _held(scaling_pass)
        _act(scaling_pass, group)
    return scaling_pass


def _held(scaling_pass: Pass) -> Pass:
    """What works stays desired. The looks go on until the pool can be bounded."""
    seen = scaling_pass.observation
    works = max(seen.desired, seen.in_service + seen.starting)
    keep = Decision(works, Reason.INSTANCE_REFRESH)
    return replace(scaling_pass, decision=keep, waking=Waking(WakeStep.HOLD))


def _act(scaling_pass: Pass, group: CapacityGroup) -> None:
    """Launching is resumed last and suspended first: what is wanted is small while it goes on."""
    waking = scaling_pass.waking
    if waking.step is WakeStep.REST:
        group.suspend(LAUNCH)
    if waking.pool:
        group.resize_pool(waking.pool)
    if scaling_pass.changes_capacity:
        group.set_desired_capacity(scaling_pass.decision.capacity)
    if waking.step is WakeStep.WAKE:
        group.resume(LAUNCH)


def past_arrivals(arrivals: HistoryReader) -> ArrivalHistory | None:
    """None where nothing is known, or nothing can be learned just now."""
    try:
        return arrivals.history()
    except TransientError:
        return None


def observe(
    group: Group,
    queue: QueueDepth | None,
    history: ArrivalHistory | None = None,
    there: Census | None = None,
) -> Observation:
    """`there` is known only where the breaker holds launching."""
    states = Counter([member.lifecycle_state for member in group.members])
    return Observation(
        queue=queue,
        desired=group.desired_capacity,
        min_size=group.min_size,
        max_size=largest_capacity(group, there),
        in_service=states[IN_SERVICE],
        protected=sum([each.is_protected for each in group.members if each.is_in_service]),
        starting=sum(states[state] for state in _STARTING_STATES),
        warm=group.warm_pool_size,
        is_being_deleted=group.is_being_deleted,
        history=history,
    )


def _depth_or_unknown(jobs: DepthReader) -> QueueDepth | None:
    try:
        return jobs.depth()
    except TransientError:
        return None
