"""The look at the fleet, the dead, and the process that must stay suspended."""

from datetime import timedelta

import pytest
from fleet_fakes import INSTANCE, NOW, FakeCommands, FakeGroup, group_of

from pilotlight.fleet.dead_workers import Agent, find_dead
from pilotlight.fleet.group import Member
from pilotlight.fleet.reconcile import (
    Fleet,
    keep_rebalance_suspended,
    look,
    replace_dead_workers,
)
from pilotlight.fleet.waits import Activity, find_waits


def setup(
    status: str, minutes_ago: float, message: str = "", text: str = "into warm pool"
) -> Activity:
    description = f"Launching a new EC2 instance {text}: {INSTANCE}"
    return Activity(description, status, message, NOW - timedelta(minutes=minutes_ago))


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
