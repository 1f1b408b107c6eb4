"""The look at the fleet, and the process that must stay suspended."""

from datetime import timedelta

from fleet_fakes import INSTANCE, NOW, FakeGroup, group_of

from pilotlight.fleet.group import Member
from pilotlight.fleet.reconcile import (
    Fleet,
    keep_rebalance_suspended,
    look,
)
from pilotlight.fleet.waits import Activity, find_waits


def setup(
    status: str, minutes_ago: float, message: str = "", text: str = "into warm pool"
) -> Activity:
    description = f"Launching a new EC2 instance {text}: {INSTANCE}"
    return Activity(description, status, message, NOW - timedelta(minutes=minutes_ago))


def test_rebalancing_is_suspended_once() -> None:
    group = FakeGroup()
    rebalancing = Fleet(group_of(suspended_processes=frozenset()), (), ())

    list(keep_rebalance_suspended(rebalancing, group))
    list(keep_rebalance_suspended(Fleet(group_of(), (), ()), group))

    assert group.calls == [("suspend", "AZRebalance")]


def test_of_thousands_that_wake_each_wait_is_known_by_its_activity() -> None:
    instances = [f"i-{number:017x}" for number in range(1_000)]
    members = tuple(Member(instance_id, "Pending:Wait") for instance_id in instances)
    text = "Launching a new EC2 instance from warm pool: "
    past = tuple(Activity(text + it, "MidLifecycleAction", "", NOW) for it in instances)
    group = FakeGroup(described=group_of(*members), past=past)

    fleet = look(group)

    waits = find_waits(fleet.group.members, fleet.activities)
    assert {wait.origin for wait in waits} == {"WarmPool"}


def test_the_activity_of_one_that_waits_is_found_among_those_of_all_that_woke() -> None:
    woken = tuple(Member(f"i-{number:017x}", "InService") for number in range(1_000))
    waiting = f"Launching a new EC2 instance from warm pool: {INSTANCE}"
    past = (*[setup("Successful", 1)] * 1_000, Activity(waiting, "MidLifecycleAction", "", NOW))
    group = FakeGroup(described=group_of(*woken, Member(INSTANCE, "Pending:Wait")), past=past)

    fleet = look(group)

    [wait] = find_waits(fleet.group.members, fleet.activities)
    assert wait.origin == "WarmPool"


def test_a_setup_is_told_from_a_return_however_much_the_others_did_since() -> None:
    """Else it is drained for ever: its `ready` action is never met, and it never ends."""
    entering = Activity(
        f"Launching a new EC2 instance into warm pool: {INSTANCE}", "MidLifecycleAction", "", NOW
    )
    past = (*[setup("Successful", 1)] * 5_000, entering)
    pool = (Member(INSTANCE, "Warmed:Pending:Wait"),)
    group = FakeGroup(described=group_of(), pool=pool, past=past)

    fleet = look(group)

    [wait] = find_waits(fleet.warm, fleet.activities)
    assert (wait.hook, wait.origin) == ("ready", "EC2")


def test_activities_are_read_no_further_than_waits_and_latest_failures_need() -> None:
    ended = setup("Successful", minutes_ago=5)
    group = FakeGroup(described=group_of(Member(INSTANCE, "Pending:Wait")))

    for first, read in ((setup("MidLifecycleAction", minutes_ago=1), 100), (ended, 100)):
        group.past = (first, *[ended] * 900)
        assert len(look(group).activities) == read
