"""The minute's look at the whole fleet: from what is there, not from what was heard."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pilotlight.errors import InstanceNotInGroupError, InstanceRefreshError
from pilotlight.fleet.breaker import BreakerPolicy, BreakerStep, Setups, decide_breaker
from pilotlight.fleet.breaker_steps import Alerts, BreakerGroup, ProcessSwitch, take_step
from pilotlight.fleet.completion import InstanceHealth
from pilotlight.fleet.dead_workers import WorkerCare
from pilotlight.fleet.group import Group, GroupReader, Member
from pilotlight.fleet.settle_waits import WaitCare
from pilotlight.fleet.states import is_waiting
from pilotlight.fleet.waits import Activity, find_waits

AZ_REBALANCE = "AZRebalance"
# Newest first: the latest failures are among them.
ACTIVITIES_PER_PAGE = 100
# This is where the search among all ends: a return to the pool may have no open activity that could
# be found, and what is still set up may lie behind any number of others' launches and wakes.
# Of thousands that wake at once, those that wait are anywhere among the newest activities of all.
MAX_ACTIVITIES_PER_INSTANCE = 2


class FleetGroup(GroupReader, BreakerGroup, InstanceHealth, Protocol):
    """What reconcile reads of the group and sets right in it."""

    def warm_pool(self) -> Iterable[Member]:
        """DescribeWarmPool, 50 a page."""
        ...

    def activities(self) -> Iterable[Activity]:
        """DescribeScalingActivities, newest first, 100 a page, read as far as it is consumed."""
        ...

    def held_launches(self) -> Iterable[Activity]:
        """The same, of launches that a hook holds: no more than there are instances."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that reconcile saw and did: one log line, one metric."""

    message: str
    metric: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What one look shows."""

    group: Group
    warm: tuple[Member, ...]
    activities: tuple[Activity, ...]


def look(group: FleetGroup) -> Fleet:
    """Three calls for a fleet of up to 50 in the pool and 100 activities."""
    described = group.describe()
    warm = tuple(group.warm_pool())
    return Fleet(described, warm, tuple(_activities(group, (*described.members, *warm))))


def _activities(group: FleetGroup, members: Sequence[Member]) -> Iterator[Activity]:
    """The newest, and the open one of each that waits: it says for what."""
    missing = {it.instance_id for it in members if is_waiting(it.lifecycle_state)}
    yield from _newest(group.activities(), missing, len(members))
    if missing:
        yield from (it for it in group.held_launches() if it.instance_id in missing)


def _newest(activities: Iterable[Activity], missing: set[str], members: int) -> Iterator[Activity]:
    """A page of them, and on while an open one is missing; what is found is so no more."""
    limit = max(ACTIVITIES_PER_PAGE, MAX_ACTIVITIES_PER_INSTANCE * members)
    for number, activity in enumerate(activities, start=1):
        yield activity
        if not activity.is_over:
            missing.discard(activity.instance_id)
        if number >= limit or (number >= ACTIVITIES_PER_PAGE and not missing):
            return


def settle_waits(fleet: Fleet, care: WaitCare, now: datetime) -> Iterator[Finding]:
    waits = find_waits((*fleet.group.members, *fleet.warm), fleet.activities)
    for wait, outcome in care.settle_all(waits, now):
        waited = round((now - wait.began_at).total_seconds(), 3) if wait.began_at else None
        fields = {
            "instance_id": wait.instance_id,
            "hook": wait.hook,
            "origin": wait.origin,
            "destination": wait.destination,
            "lifecycle_state": wait.state,
            "seconds_waited": waited,
        }
        yield Finding("wait looked at", outcome.result.value, fields | outcome.log_fields())


def replace_dead_workers(
    fleet: Fleet, care: WorkerCare, health: InstanceHealth, now: datetime
) -> Iterator[Finding]:
    """Unhealthy is the one way to take a protected instance away; the group then replaces it."""
    for dead in care.find_dead(fleet.group, now):
        reason = "HEARTBEAT_OVERDUE"
        try:
            health.set_unhealthy(dead.instance_id)
        except InstanceNotInGroupError:
            reason = "GONE_BY_ITSELF"
        overdue = round((now - dead.since).total_seconds(), 3)
        fields = {"instance_id": dead.instance_id, "reason": reason, "seconds_overdue": overdue}
        yield Finding("dead worker replaced", "DeadWorkerReplaced", fields)


def guard_setup(
    fleet: Fleet,
    policy: BreakerPolicy,
    group_name: str,
    group: BreakerGroup,
    alerts: Alerts,
    now: datetime,
) -> Iterator[Finding]:
    decision = decide_breaker(Setups(fleet.group, fleet.warm, fleet.activities), policy, now)
    reason = decision.reason
    try:
        take_step(decision, group_name, group, alerts)
    except InstanceRefreshError as error:
        # Nothing is wrong: it may last an hour, and the step is taken once it is over.
        reason = error.reason
    if decision.step is not BreakerStep.NONE:
        fields = {
            "result": decision.step.value,
            "reason": reason,
            "failures": decision.failures,
            "detail": decision.last_message,
        }
        yield Finding("setup breaker", _BREAKER_METRICS[decision.step], fields)


_BREAKER_METRICS = {
    BreakerStep.OPEN: "SetupBreakerOpened",
    BreakerStep.PREPARE: "SetupTrialPrepared",
    BreakerStep.TRY: "SetupTrialBegun",
    BreakerStep.HOLD: "SetupTrialHeld",
    BreakerStep.REOPEN: "SetupBreakerReopened",
    BreakerStep.CLOSE: "SetupBreakerClosed",
    BreakerStep.RESUME: "LaunchingResumed",
    BreakerStep.CLOSED: "LaunchingGoesOn",
}


def keep_rebalance_suspended(fleet: Fleet, group: ProcessSwitch) -> Iterator[Finding]:
    """AZRebalance kills busy workers, and no template property suspends it."""
    if AZ_REBALANCE not in fleet.group.suspended_processes:
        group.suspend(AZ_REBALANCE)
        yield Finding("process suspended", "ProcessSuspended", {"suspended_process": AZ_REBALANCE})
