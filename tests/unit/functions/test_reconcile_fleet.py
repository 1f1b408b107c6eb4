"""The breaker, the dead, and the process that must stay suspended."""

from datetime import timedelta

import pytest
from fleet_fakes import INSTANCE, NOW, FakeAlerts, FakeCommands, FakeGroup, group_of

from pilotlight.fleet.breaker import BREAKER_TAG
from pilotlight.fleet.dead_workers import Agent, find_dead
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.reconcile import (
    Fleet,
    guard_setup,
    keep_rebalance_suspended,
    look,
    replace_dead_workers,
)
from pilotlight.fleet.waits import Activity, find_waits

ABANDONED = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
    "36b210eb-0e5d-4ddf-b153-acd86a82e850 was abandoned: Lifecycle Action Completed with ABANDON "
    "Result"
)


def setup(
    status: str, minutes_ago: float, message: str = "", text: str = "into warm pool"
) -> Activity:
    description = f"Launching a new EC2 instance {text}: {INSTANCE}"
    return Activity(description, status, message, NOW - timedelta(minutes=minutes_ago))


def failed(minutes_ago: float) -> Activity:
    return setup("Cancelled", minutes_ago, ABANDONED)


def guarded(group: Group, *activities: Activity) -> tuple[FakeGroup, FakeAlerts]:
    fake, alerts = FakeGroup(), FakeAlerts()
    fleet = Fleet(group, (), activities)
    list(guard_setup(fleet, 3, "stack-workers", fake, alerts, NOW))
    return fake, alerts


def test_setup_that_fails_three_times_in_a_row_stops_launching_and_tells_a_person() -> None:
    group, alerts = guarded(group_of(), failed(1), failed(5), failed(9))

    assert group.calls == [
        ("suspend", "Launch"),
        ("tag", BREAKER_TAG, "open 2026-09-27T12:00:00+00:00"),
    ]
    [(subject, message)] = alerts.published
    assert "stack-workers" in subject
    assert "resume-processes" in message
    assert "ABANDON Result" in message


@pytest.mark.parametrize(
    "activities",
    [
        pytest.param([failed(1), failed(2)], id="two are not enough"),
        pytest.param(
            [failed(1), failed(2), setup("Successful", 3), failed(4)], id="a success between"
        ),
        pytest.param(
            [failed(1), failed(2), setup("MidLifecycleAction", 3)], id="one is not over yet"
        ),
        pytest.param(
            [setup("Failed", it, "Not enough capacity") for it in (1, 2, 3)],
            id="lack of capacity is no setup failure",
        ),
        pytest.param(
            [setup("Cancelled", it, ABANDONED, "from warm pool") for it in (1, 2, 3)],
            id="a wake is no setup",
        ),
    ],
)
def test_the_breaker_stays_closed(activities: list[Activity]) -> None:
    group, alerts = guarded(group_of(), *activities)

    assert (group.calls, alerts.published) == ([], [])


def test_a_wake_that_worked_does_not_excuse_setups_that_fail() -> None:
    wake = setup("Successful", 1, text="from warm pool")

    group, _ = guarded(group_of(), wake, failed(2), failed(3), failed(4))

    assert ("suspend", "Launch") in group.calls


def test_a_person_is_told_once() -> None:
    opened = group_of(
        suspended_processes=frozenset({"Launch"}),
        tags=((BREAKER_TAG, "open 2026-09-27T11:55:00+00:00"),),
    )

    group, alerts = guarded(opened, failed(6), failed(7), failed(8))

    assert (group.calls, alerts.published) == ([], [])


def test_resuming_launch_resets_the_breaker_and_old_failures_do_not_open_it_again() -> None:
    resumed = group_of(tags=((BREAKER_TAG, "open 2026-09-27T11:55:00+00:00"),))
    group, _ = guarded(resumed, failed(6), failed(7), failed(8))
    assert group.calls == [("tag", BREAKER_TAG, "reset 2026-09-27T12:00:00+00:00")]

    reset = group_of(tags=((BREAKER_TAG, "reset 2026-09-27T11:55:00+00:00"),))
    group, _ = guarded(reset, failed(1), failed(2), failed(6), failed(7), failed(8))
    assert group.calls == []


def test_new_failures_after_a_reset_open_it_again() -> None:
    reset = group_of(tags=((BREAKER_TAG, "reset 2026-09-27T11:55:00+00:00"),))

    group, _ = guarded(reset, failed(1), failed(2), failed(3))

    assert ("suspend", "Launch") in group.calls


def test_an_alert_that_fails_is_sent_again_next_minute() -> None:
    class BrokenAlerts(FakeAlerts):
        def publish(self, subject: str, message: str) -> None:
            raise ConnectionError

    fake, fleet = FakeGroup(), Fleet(group_of(), (), (failed(1), failed(2), failed(3)))

    with pytest.raises(ConnectionError):
        list(guard_setup(fleet, 3, "stack-workers", fake, BrokenAlerts(), NOW))

    assert fake.calls == [("suspend", "Launch")]


def workers(count: int) -> list[Member]:
    return [Member(f"i-0000000{number}", "InService", is_protected=True) for number in range(count)]


def agent(minutes_silent: float, status: str = "ConnectionLost") -> Agent:
    return Agent(status, NOW - timedelta(minutes=minutes_silent))


@pytest.mark.parametrize(
    ("silent", "dead"),
    [
        pytest.param(agent(16), True, id="silent for long"),
        pytest.param(agent(14), False, id="not for long enough"),
        pytest.param(agent(16, "Online"), False, id="online with an old ping"),
        pytest.param(Agent("ConnectionLost", None), False, id="has not reported yet"),
        pytest.param(None, False, id="stopped or gone is for the group to judge"),
    ],
)
def test_a_protected_worker_is_dead_when_its_agent_is_silent(
    silent: Agent | None, dead: bool
) -> None:
    [worker] = workers(1)
    agents = {worker.instance_id: silent} if silent else {}

    assert (find_dead(group_of(worker), agents, NOW) == [worker.instance_id]) is dead


def test_an_unprotected_worker_needs_no_rescue() -> None:
    idle = Member(INSTANCE, "InService", is_protected=False)

    assert find_dead(group_of(idle), {INSTANCE: agent(99)}, NOW) == []


def test_agents_that_fall_silent_together_are_an_outage_of_ssm() -> None:
    members = workers(4)
    agents = {member.instance_id: agent(99) for member in members[:3]}

    assert find_dead(group_of(*members), agents, NOW) == []
    del agents[members[0].instance_id]
    assert len(find_dead(group_of(*members), agents, NOW)) == 2


def test_a_dead_worker_is_reported_unhealthy() -> None:
    """all-protected-stuck: a dead worker does not keep its protection."""
    [worker] = workers(1)
    group = FakeGroup()
    fleet = Fleet(group_of(worker), (), ())
    agents = FakeCommands(agents={worker.instance_id: agent(16)})

    list(replace_dead_workers(fleet, agents, group, NOW))

    assert group.calls == [("unhealthy", worker.instance_id)]


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


def test_activities_are_read_no_further_than_waits_and_latest_failures_need() -> None:
    ended = setup("Successful", minutes_ago=5)
    group = FakeGroup(described=group_of(Member(INSTANCE, "Pending:Wait")))

    for first, read in ((setup("MidLifecycleAction", minutes_ago=1), 100), (ended, 100)):
        group.past = (first, *[ended] * 900)
        assert len(look(group).activities) == read
