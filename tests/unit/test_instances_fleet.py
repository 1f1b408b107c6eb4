"""EC2's states: which call does what when, and who is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from local.instances.fleet import Ec2Error, Fleet, Reason
from local.instances.instance import InstanceSpec

ID = "i-0123456789abcdef0"
SPEC = InstanceSpec(
    instance_id=ID,
    image_id="ami-0abcdef1234567890",
    instance_type="t3.medium",
    zone="us-east-1a",
    region="us-east-1",
    private_ip="172.31.0.9",
    user_data=b"",
    role_arn=None,
    tags={},
)


class FakeHost:
    """Machines which get where they were sent when the test says so."""

    def __init__(self) -> None:
        self.arrive: dict[str, Callable[[], None]] = {}
        self.reboots = 0

    def create(self, spec: InstanceSpec) -> None:
        self.created = spec

    def boot(self, instance_id: str, on_running: Callable[[], None]) -> None:
        self.arrive["running"] = on_running

    def stop(self, instance_id: str, on_stopped: Callable[[], None]) -> None:
        self.arrive["stopped"] = on_stopped

    def terminate(self, instance_id: str, on_terminated: Callable[[], None]) -> None:
        self.arrive["terminated"] = on_terminated

    def reboot(self, instance_id: str) -> None:
        self.reboots += 1


class Account:
    """A fleet with one instance, and everything that anyone was told, in order."""

    def __init__(self, *first_listeners: Callable[[str, str], None]) -> None:
        self.host = FakeHost()
        self.told: list[str] = []
        self.reasons: list[str] = []
        self.fleet = Fleet(self.host, self)
        for listener in first_listeners:
            self.fleet.on_state_change(listener)
        self.fleet.on_state_change(lambda _, state: self.told.append(f"heard {state}"))

    def write(self, instance_id: str, state: str, reason: Reason) -> None:
        self.reasons.append(reason.code)

    def tell(self, instance_id: str, state: str) -> None:
        """Not looked at here: news go the same way to listeners."""

    def note(self, what: str) -> Callable[[], None]:
        return lambda: self.told.append(what)

    def failed(self, code: str, message: str) -> None:
        self.told.append(f"failed {code}")

    def launch(self, stops_on_shutdown: bool = True) -> None:
        self.fleet.launch(SPEC, stops_on_shutdown, self.note("launched"), self.failed)

    def news(self) -> list[str]:
        """What was told so far; the fleet tells in order, so this comes last."""
        last = threading.Event()
        self.fleet._news.put(last.set)
        assert last.wait(10)
        told, self.told = self.told, []
        return told


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def running(account: Account) -> Account:
    account.launch()
    account.host.arrive["running"]()
    account.news()
    return account


@pytest.fixture
def stopped(running: Account) -> Account:
    running.fleet.stop(ID, running.note("stopped"))
    running.host.arrive["stopped"]()
    running.news()
    return running


def test_a_launch_is_pending_until_its_machine_runs(account: Account) -> None:
    account.launch()
    assert account.fleet.state(ID) == "pending"
    account.host.arrive["running"]()

    assert account.fleet.state(ID) == "running"
    assert account.news() == ["heard pending", "heard running", "launched"]


def test_stop_and_start_go_by_their_middle_states(running: Account) -> None:
    running.fleet.stop(ID, running.note("stopped"))
    assert running.fleet.state(ID) == "stopping"
    running.host.arrive["stopped"]()
    running.fleet.start(ID, running.note("started"), running.failed)
    assert running.fleet.state(ID) == "pending"
    running.host.arrive["running"]()

    assert running.news() == [
        "heard stopping", "heard stopped", "stopped", "heard pending", "heard running", "started",
    ]  # fmt: skip


def test_without_capacity_nothing_is_created_and_a_stopped_instance_stays_stopped(
    stopped: Account,
) -> None:
    stopped.fleet.set_capacity("us-east-1a", available=False)

    with pytest.raises(Ec2Error, match="InsufficientInstanceCapacity"):
        stopped.fleet.start(ID, stopped.note("started"), stopped.failed)
    with pytest.raises(Ec2Error, match="InsufficientInstanceCapacity"):
        stopped.launch()

    assert stopped.fleet.state(ID) == "stopped"
    assert stopped.news() == []


@pytest.mark.parametrize(("zone", "refused"), [("*", True), ("us-east-1b", False)])
def test_capacity_is_of_one_zone_or_of_all(account: Account, zone: str, refused: bool) -> None:
    account.fleet.set_capacity(zone, available=False)

    if refused:
        with pytest.raises(Ec2Error):
            account.launch()
        account.fleet.set_capacity(zone, available=True)
    account.launch()


def test_a_launch_that_is_terminated_before_it_runs_has_failed(account: Account) -> None:
    account.launch()
    account.fleet.terminate(ID, account.note("terminated"))
    account.host.arrive["running"]()  # too late
    account.host.arrive["terminated"]()

    assert account.news() == [
        "heard pending",
        "heard shutting-down",
        "failed Client.UserInitiatedShutdown",
        "heard terminated",
        "terminated",
    ]


def test_a_second_stop_or_terminate_is_answered_with_the_first(running: Account) -> None:
    running.fleet.stop(ID, running.note("first"))
    running.fleet.stop(ID, running.note("second"))
    running.host.arrive["stopped"]()
    running.fleet.stop(ID, running.note("third"))
    assert running.news() == ["heard stopping", "heard stopped", "first", "second", "third"]

    running.fleet.terminate(ID, running.note("first"))
    running.host.arrive["terminated"]()
    running.fleet.terminate(ID, running.note("second"))
    assert running.news() == ["heard shutting-down", "heard terminated", "first", "second"]


def test_terminating_while_stopping_does_not_end_as_stopped(running: Account) -> None:
    running.fleet.stop(ID, running.note("stopped"))
    running.fleet.terminate(ID, running.note("terminated"))
    running.host.arrive["stopped"]()
    running.host.arrive["terminated"]()

    assert running.fleet.state(ID) == "terminated"
    assert "heard stopped" not in running.news()


def test_calls_that_the_state_forbids_are_refused(account: Account) -> None:
    account.launch()
    for call in (
        lambda: account.fleet.stop(ID, account.note("stopped")),
        lambda: account.fleet.reboot(ID),
    ):
        with pytest.raises(Ec2Error, match="IncorrectInstanceState"):
            call()
    with pytest.raises(Ec2Error, match=r"InvalidInstanceID\.NotFound"):
        account.fleet.stop("i-00000000", account.note("stopped"))


@pytest.mark.parametrize(("stops", "ends_as"), [(True, "stopped"), (False, "terminated")])
def test_a_shutdown_from_inside_does_as_the_launch_said(stops: bool, ends_as: str) -> None:
    account = Account()
    account.launch(stops)
    account.host.arrive["running"]()

    account.fleet.shut_down_from_inside(ID)
    account.host.arrive[ends_as]()

    assert account.fleet.state(ID) == ends_as
    assert account.reasons[-1] == "Client.InstanceInitiatedShutdown"


def test_a_listener_that_fails_does_not_keep_others_from_hearing() -> None:
    def fail(instance_id: str, state: str) -> None:
        raise RuntimeError("listener")

    account = Account(fail)
    account.launch()
    account.host.arrive["running"]()

    assert account.news() == ["heard pending", "heard running", "launched"]
