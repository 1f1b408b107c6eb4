"""The one scaling decision: from what is seen to a capacity and the reason for it.

Level-based and without memory: a trigger that is lost, late or doubled does no harm.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """Messages: ready to be received, being worked on, and not yet due."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def backlog(self) -> int:
        """In flight counts: busy work must never look like no work."""
        return self.visible + self.in_flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Counts of instances; `queue` is None when its depth could not be read.

    `protected` are the InService ones that scale-in may not take; `starting` are on their way in;
    `warm` wait in the pool.
    """

    queue: QueueDepth | None
    desired: int
    min_size: int
    max_size: int
    in_service: int
    protected: int
    starting: int = 0
    warm: int = 0
    is_being_deleted: bool = False

    @property
    def can_leave(self) -> int:
        """Idle workers (InService, unprotected) that no earlier decision has asked to leave yet."""
        leaving = max(0, self.in_service + self.starting - self.desired)
        return max(0, self.in_service - self.protected - leaving)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    jobs_per_instance: int = 1


class Reason(StrEnum):
    """The closed set; each is logged, and counted when it changes capacity."""

    BACKLOG = "BACKLOG"
    AT_MAX = "AT_MAX"
    AT_MIN = "AT_MIN"
    IDLE = "IDLE"
    HELD_BY_BUSY = "HELD_BY_BUSY"
    NO_CHANGE = "NO_CHANGE"
    UNKNOWN_METRICS = "UNKNOWN_METRICS"
    BEING_DELETED = "BEING_DELETED"


@dataclass(frozen=True, slots=True)
class Decision:
    capacity: int
    reason: Reason


def desired_capacity(observation: Observation, policy: Policy) -> Decision:
    """Out in one step to what the backlog needs; in only by what idle workers can give.

    An unknown backlog holds capacity. What is starting is never called back: it is not idle.
    """
    if observation.is_being_deleted:
        return Decision(observation.desired, Reason.BEING_DELETED)
    if observation.queue is None:
        return Decision(_within_bounds(observation.desired, observation), Reason.UNKNOWN_METRICS)
    needed = -(-observation.queue.backlog // policy.jobs_per_instance)
    wanted = _within_bounds(needed, observation)
    if wanted < observation.desired:
        return _scale_in(wanted, observation)
    return Decision(wanted, _reason_out(needed, wanted, observation))


def _scale_in(wanted: int, observation: Observation) -> Decision:
    held = max(wanted, observation.desired - observation.can_leave)
    capacity = _within_bounds(held, observation)
    if capacity > wanted:
        return Decision(capacity, Reason.HELD_BY_BUSY)
    if observation.desired > observation.max_size:
        return Decision(capacity, Reason.AT_MAX)
    return Decision(capacity, Reason.IDLE)


def _reason_out(needed: int, wanted: int, observation: Observation) -> Reason:
    if needed > observation.max_size:
        return Reason.AT_MAX
    if wanted == observation.desired:
        return Reason.NO_CHANGE
    return Reason.AT_MIN if needed < wanted else Reason.BACKLOG


def _within_bounds(capacity: int, observation: Observation) -> int:
    return max(observation.min_size, min(observation.max_size, capacity))
