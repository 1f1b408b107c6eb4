"""The one scaling decision: from what is seen to a capacity and the reason for it.

Level-based and without memory: a trigger that is lost, late or doubled does no harm.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from pilotlight.scaling.demand import Demand, Waiting, demand, outlook
from pilotlight.scaling.history import ArrivalHistory


class QueueDepth(NamedTuple):
    """Messages: ready to be received, being worked on, and not yet due."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def backlog(self) -> int:
        """In flight counts: busy work must never look like no work."""
        return self.visible + self.in_flight


class Observation(NamedTuple):
    """Counts of instances; `queue` is None when its depth could not be read.

    `protected` are the InService ones that scale-in may not take; `starting` are on their way in;
    `warm` wait in the pool. Without `history` nothing is expected, and the backlog alone decides.
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
    history: ArrivalHistory | None = None

    @property
    def can_leave(self) -> int:
        """Idle workers (InService, unprotected) that no earlier decision has asked to leave yet."""
        leaving = max(0, self.in_service + self.starting - self.desired)
        return max(0, self.in_service - self.protected - leaving)


@dataclass(frozen=True, kw_only=True)  # without slots, for what is worked out once
class Policy:
    """What people want; None is no limit.

    `target_wait_seconds` is the wait that is good enough: the lower, the more spare workers.
    `start_seconds` is what an instance of the pool takes from the decision to its first receive.
    `least_capacity` (instances) and `least_spare` (workers without a job) come from the schedule,
    `affordable` (instances) from the money that may be spent in a day.
    """

    jobs_per_instance: int = 1
    target_wait_seconds: float = 1.0
    start_seconds: float = 25.0
    least_capacity: int = 0
    least_spare: int = 0
    affordable: int | None = None

    @cached_property
    def waiting(self) -> Waiting:
        return Waiting(self.target_wait_seconds, self.start_seconds)


class Reason(StrEnum):
    """The closed set; each is logged, and counted when it changes capacity."""

    BACKLOG = "BACKLOG"
    EXPECTED_ARRIVALS = "EXPECTED_ARRIVALS"
    SCHEDULE = "SCHEDULE"
    AT_MAX = "AT_MAX"
    AT_SPEND_LIMIT = "AT_SPEND_LIMIT"
    AT_MIN = "AT_MIN"
    IDLE = "IDLE"
    HELD_BY_BUSY = "HELD_BY_BUSY"
    NO_CHANGE = "NO_CHANGE"
    UNKNOWN_METRICS = "UNKNOWN_METRICS"
    BEING_DELETED = "BEING_DELETED"
    INSTANCE_REFRESH = "INSTANCE_REFRESH"


CEILINGS = frozenset({Reason.AT_MAX, Reason.AT_SPEND_LIMIT})


class Decision(NamedTuple):
    """A capacity, and what it is for: the one to set, or an end of the band that it may lie in."""

    capacity: int
    reason: Reason


def desired_capacity(observation: Observation, policy: Policy) -> Decision:
    """Out in one step to the band's lower end; in to its upper end, by idle workers alone.

    An unknown backlog holds capacity. What is starting is never called back: it is not idle.
    """
    seen = observation
    if seen.is_being_deleted:
        return Decision(seen.desired, Reason.BEING_DELETED)
    if seen.queue is None:
        return Decision(_within_bounds(seen.desired, seen), Reason.UNKNOWN_METRICS)
    jobs = _demand(seen, seen.queue, policy)
    scheduled = _scheduled(seen.queue, policy)
    wanted = max(_instances(jobs.least, policy.jobs_per_instance), scheduled)
    least, bound = _limit(wanted, seen, policy)
    if seen.desired < least:
        return Decision(least, bound or _purpose(jobs, scheduled, policy.jobs_per_instance))
    # Fewer than the band's lower end it never is.
    kept = max(_instances(jobs.most, policy.jobs_per_instance), scheduled)
    most, most_bound = _limit(kept, seen, policy)
    if seen.desired > most:
        return _scale_in(most, most_bound, seen)
    return Decision(seen.desired, bound if bound in CEILINGS else Reason.NO_CHANGE)


def _demand(seen: Observation, queue: QueueDepth, policy: Policy) -> Demand:
    slots = seen.in_service * policy.jobs_per_instance
    within_reach = (seen.in_service + seen.starting + seen.warm) * policy.jobs_per_instance
    expected = outlook(seen.history, policy.waiting, queue.backlog)
    return demand(queue.visible, queue.in_flight, slots, within_reach, expected)


def _purpose(jobs: Demand, scheduled: int, jobs_per_instance: int) -> Reason:
    expected = _instances(jobs.least, jobs_per_instance)
    if scheduled > expected:
        return Reason.SCHEDULE
    if expected > _instances(jobs.needed, jobs_per_instance):
        return Reason.EXPECTED_ARRIVALS
    return Reason.BACKLOG


def _scheduled(queue: QueueDepth, policy: Policy) -> int:
    if not policy.least_spare:
        return policy.least_capacity
    spare = _instances(queue.backlog, policy.jobs_per_instance) + policy.least_spare
    return max(policy.least_capacity, spare)


def _instances(jobs: int, jobs_per_instance: int) -> int:
    return -(-jobs // jobs_per_instance)


def _limit(wanted: int, seen: Observation, policy: Policy) -> tuple[int, Reason | None]:
    """What is allowed of it, and by which bound, if by one. The group's come last: money never
    undoes the least size that a person set."""
    bound = None
    if policy.affordable is not None and wanted > policy.affordable:
        wanted, bound = policy.affordable, Reason.AT_SPEND_LIMIT
    if wanted > seen.max_size:
        return seen.max_size, Reason.AT_MAX
    if wanted < seen.min_size:
        return seen.min_size, Reason.AT_MIN
    return wanted, bound


def _scale_in(most: int, bound: Reason | None, seen: Observation) -> Decision:
    held = min(seen.desired - seen.can_leave, seen.max_size)
    if held > most:
        return Decision(held, Reason.HELD_BY_BUSY)
    return Decision(most, bound if bound in CEILINGS else Reason.IDLE)


def _within_bounds(capacity: int, seen: Observation) -> int:
    return max(seen.min_size, min(seen.max_size, capacity))
