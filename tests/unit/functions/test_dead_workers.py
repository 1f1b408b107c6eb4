"""Who is in service and has no worker any more, and who only seems so."""

from datetime import datetime, timedelta

import pytest
from fleet_fakes import INSTANCE, NOW, FakeGroup, FakeHeartbeats, FakeMachines, group_of

from pilotlight.errors import InstanceNotInGroupError, TransientError
from pilotlight.fleet.dead_workers import WorkerCare
from pilotlight.fleet.group import Member
from pilotlight.fleet.heartbeat import RECONCILE, Heartbeat
from pilotlight.fleet.reconcile import Finding, Fleet, replace_dead_workers

OVERDUE = timedelta(minutes=5)
LONG_AGO = NOW - timedelta(hours=5)
MINUTE = timedelta(minutes=1)


def ago(minutes: float) -> datetime:
    return NOW - minutes * MINUTE


def serving(count: int, is_protected: bool = True) -> list[Member]:
    return [Member(f"i-0000000{number}", "InService", is_protected) for number in range(count)]


class Scene:
    """A fleet whose table has taken heartbeats for hours, and in which all instances run."""

    def __init__(self, *members: Member) -> None:
        self.members = members
        self.group = FakeGroup()
        self.machines = FakeMachines({member.instance_id: LONG_AGO for member in members})
        self.heartbeats = FakeHeartbeats({RECONCILE: Heartbeat(LONG_AGO, NOW + 2 * MINUTE)})

    def due(self, minutes_ago: float, *members: Member) -> None:
        for member in members:
            self.heartbeats.rows[member.instance_id] = Heartbeat(LONG_AGO, ago(minutes_ago))

    def reconcile(self, now: datetime = NOW) -> list[Finding]:
        care = WorkerCare(self.heartbeats, self.machines, OVERDUE)
        fleet = Fleet(group_of(*self.members), (), ())
        return list(replace_dead_workers(fleet, care, self.group, now))

    @property
    def replaced(self) -> list[str]:
        return [instance_id for call, instance_id in self.group.calls if call == "unhealthy"]


@pytest.mark.parametrize("is_protected", [True, False])
def test_an_instance_in_service_whose_heartbeat_is_long_overdue_is_replaced(
    is_protected: bool,
) -> None:
    """all-protected-stuck: a dead worker does not keep its protection."""
    [worker] = serving(1, is_protected)
    scene = Scene(worker)
    scene.due(6, worker)

    [finding] = scene.reconcile()

    assert scene.replaced == [worker.instance_id]
    assert finding.fields["reason"] == "HEARTBEAT_OVERDUE"
    assert finding.fields["seconds_overdue"] == 360


def test_one_that_never_sent_any_is_replaced() -> None:
    [worker] = serving(1)
    scene = Scene(worker)

    scene.reconcile()

    assert scene.replaced == [worker.instance_id]


@pytest.mark.parametrize(
    "minutes_ago",
    [
        pytest.param(4.9, id="not overdue for long enough"),
        pytest.param(-15, id="pip is at work, and said so"),
    ],
)
def test_a_worker_is_given_its_time(minutes_ago: float) -> None:
    [worker] = serving(1)
    scene = Scene(worker)
    scene.due(minutes_ago, worker)

    assert (scene.reconcile(), scene.replaced) == ([], [])


def test_one_that_has_just_woken_is_not_judged_by_the_heartbeat_from_before_its_sleep() -> None:
    [worker] = serving(1)
    scene = Scene(worker)
    scene.due(600, worker)
    scene.machines.running[worker.instance_id] = ago(4)

    scene.reconcile()
    assert scene.replaced == []

    scene.machines.running[worker.instance_id] = ago(6)
    scene.reconcile()
    assert scene.replaced == [worker.instance_id]


def test_one_that_was_stopped_is_left_to_the_health_check_of_the_group() -> None:
    [worker] = serving(1)
    scene = Scene(worker)
    scene.due(60, worker)
    scene.machines.running.clear()

    assert scene.reconcile() == []


@pytest.mark.parametrize("state", ["Pending:Wait", "Terminating:Wait", "Standby"])
def test_whoever_is_not_in_service_is_not_judged(state: str) -> None:
    scene = Scene(Member(INSTANCE, state))

    assert scene.reconcile() == []
    assert scene.heartbeats.rows.keys() == {RECONCILE}


def test_nobody_is_judged_by_a_table_that_takes_no_heartbeats() -> None:
    [worker] = serving(1)
    scene = Scene(worker)
    scene.due(60, worker)
    scene.heartbeats.takes_writes = False

    with pytest.raises(TransientError):
        scene.reconcile()

    assert scene.replaced == []


def test_workers_have_their_time_again_once_the_table_is_back() -> None:
    """Of an outage nobody knows who would have been silent without it."""
    [worker] = serving(1)
    scene = Scene(worker)
    scene.due(20, worker)
    scene.heartbeats.rows[RECONCILE] = Heartbeat(LONG_AGO, ago(17))

    for minutes in range(6):
        scene.reconcile(NOW + minutes * MINUTE)
    assert scene.replaced == []

    scene.reconcile(NOW + 6 * MINUTE)
    assert scene.replaced == [worker.instance_id]


def test_half_of_the_workers_may_be_replaced_at_once() -> None:
    workers = serving(4)
    scene = Scene(*workers)
    scene.due(10, *workers[:2])
    scene.due(-1, *workers[2:])

    scene.reconcile()

    assert scene.replaced == [worker.instance_id for worker in workers[:2]]


def test_of_many_that_fall_silent_together_one_is_replaced_to_see_what_it_is() -> None:
    """Their way to the table may be gone, and not they: all at once would lose much for nothing."""
    workers = serving(4)
    scene = Scene(*workers)
    scene.due(10, *workers)

    scene.reconcile()

    assert scene.replaced == [workers[0].instance_id]


@pytest.mark.parametrize("state", ["Terminating:Wait", "Pending", "InService"])
def test_the_next_of_them_waits_until_what_came_instead_has_had_its_time(state: str) -> None:
    workers = serving(4)
    instead = Member(INSTANCE, state)
    scene = Scene(*workers, instead)
    scene.due(10, *workers)
    scene.machines.running[INSTANCE] = ago(2)

    assert scene.reconcile() == []


def test_an_instance_that_left_meanwhile_is_only_told_of() -> None:
    [worker] = serving(1)
    scene = Scene(worker)

    def gone(instance_id: str) -> None:
        raise InstanceNotInGroupError(instance_id)

    scene.group.set_unhealthy = gone  # type: ignore[method-assign]

    [finding] = scene.reconcile()

    assert finding.fields["reason"] == "GONE_BY_ITSELF"
