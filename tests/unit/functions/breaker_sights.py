"""What the breaker's tests see: groups in a phase, and setups that fail, run or are refused."""

from datetime import datetime, timedelta

from fleet_fakes import INSTANCE, NOW, FakeAlerts, FakeGroup, group_of

from pilotlight.fleet.breaker import (
    BreakerDecision,
    BreakerPolicy,
    Setups,
    decide_breaker,
)
from pilotlight.fleet.breaker_state import BREAKER_TAG, BreakerState, Phase
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.reconcile import Fleet, guard_setup
from pilotlight.fleet.trial import PoolSizes
from pilotlight.fleet.waits import Activity

ABANDONED = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
    "36b210eb-0e5d-4ddf-b153-acd86a82e850 was abandoned: Lifecycle Action Completed with ABANDON "
    "Result"
)
TEMPLATE_POOL = PoolSizes(min_size=1, prepared=None)
POLICY = BreakerPolicy(3, TEMPLATE_POOL, trial_lasts=timedelta(minutes=60), deployed="1.2.7")
SUSPENDED = frozenset({"AZRebalance", "Launch"})


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def setup(
    status: str, minutes_ago: float, message: str = "", text: str = "into warm pool"
) -> Activity:
    description = f"Launching a new EC2 instance {text}: {INSTANCE}"
    return Activity(description, status, message, ago(minutes_ago))


def failed(minutes_ago: float) -> Activity:
    return setup("Cancelled", minutes_ago, ABANDONED)


def running(minutes_ago: float) -> Activity:
    return setup("MidLifecycleAction", minutes_ago)


REFUSED = Activity(
    "Launching a new EC2 instance.  Status Reason: There is not enough capacity.",
    "Failed",
    "There is not enough capacity.",
    ago(1),
)


def group_in(
    phase: Phase,
    minutes_ago: float,
    *members: Member,
    failed_trials: int = 0,
    largest: int = 0,
    **changes: object,
) -> Group:
    """Launching is suspended, and it was version 7 of the template that failed."""
    state = BreakerState(phase, ago(minutes_ago), failed_trials, largest, "7.1.2.7")
    tags = ((BREAKER_TAG, str(state)),)
    values = {"tags": tags, "suspended_processes": SUSPENDED, "desired_capacity": 1}
    values["launch_template_version"] = "7"
    return group_of(*members, **(values | changes))


def decided(group: Group, *activities: Activity, warm: int = 0) -> BreakerDecision:
    pool = tuple(Member(f"i-{it:017x}", "Warmed:Stopped") for it in range(warm))
    return decide_breaker(Setups(group, pool, activities), POLICY, NOW)


def guarded(group: Group, *activities: Activity) -> tuple[FakeGroup, FakeAlerts]:
    fake, alerts = FakeGroup(), FakeAlerts()
    list(guard_setup(Fleet(group, (), activities), POLICY, "stack-workers", fake, alerts, NOW))
    return fake, alerts
