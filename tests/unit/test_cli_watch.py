"""Looking at a fleet, and what is kept of the looks."""

import io
from typing import Any

import pytest
from rich.console import Console

from cli.alarms import QueueDepthAlarm
from cli.errors import CommandError
from cli.live import LineView
from cli.recording import Look, Member
from cli.waiting import wait_until
from cli.watch import Observer, Recorder


def instance(instance_id: str, state: str) -> dict[str, Any]:
    return {"InstanceId": instance_id, "LifecycleState": state, "ProtectedFromScaleIn": True}


class Aws:
    """The three calls of a look. The pool comes in pages of one."""

    def __init__(self, groups: list[dict[str, Any]], pool: list[dict[str, Any]]) -> None:
        self.groups, self.pool = groups, pool

    def client(self, service: str) -> "Aws":
        return self

    def describe_auto_scaling_groups(self, **_: Any) -> dict[str, Any]:
        return {"AutoScalingGroups": self.groups}

    def describe_warm_pool(self, **request: Any) -> dict[str, Any]:
        at = int(request.get("NextToken", 0))
        more = {"NextToken": str(at + 1)} if at + 1 < len(self.pool) else {}
        return {"Instances": self.pool[at : at + 1], **more}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": "3",
                "ApproximateNumberOfMessagesNotVisible": "2",
            }
        }


def group(**changes: Any) -> dict[str, Any]:
    return {
        "DesiredCapacity": 1,
        "MaxSize": 5,
        "Instances": [instance("i-1", "InService")],
        "WarmPoolConfiguration": {"MinSize": 1, "PoolState": "Stopped"},
    } | changes


class Alarms:
    """DescribeAlarms, each call with the next state."""

    def __init__(self, *states: str) -> None:
        self._states = iter(states)

    def client(self, service: str) -> "Alarms":
        return self

    def describe_alarms(self, AlarmNamePrefix: str) -> dict[str, Any]:  # noqa: N803
        state = next(self._states)
        alarm = {"AlarmName": AlarmNamePrefix, "StateValue": state, "StateReason": "Crossed"}
        return {"MetricAlarms": [alarm] if state else []}


def test_the_alarm_is_spoken_of_when_its_state_changes_and_only_then() -> None:
    alarm = QueueDepthAlarm(Alarms("", "OK", "OK", "ALARM", "ALARM"), "stack")
    assert [list(alarm.changes()) for _ in range(5)] == [
        [],
        [],
        [],
        ["queue-depth alarm OK -> ALARM: Crossed"],
        [],
    ]


def test_a_look_sees_the_group_all_pages_of_its_pool_and_the_queue() -> None:
    pool = [instance(name, "Warmed:Stopped") for name in ("i-2", "i-3", "i-4", "i-5")]
    observer = Observer(Aws([group()], pool), "workers", clock=lambda: 7.0)
    observer.queue_url = "https://queue"
    look = observer.look()
    assert (look.at, look.running, look.stopped, look.pool_size) == (7.0, 1, 4, 4)
    assert (look.visible, look.in_flight) == (3, 2)
    assert look.at_rest


def test_an_instance_in_both_lists_is_taken_for_the_groups() -> None:
    observer = Observer(Aws([group()], [instance("i-1", "Warmed:Stopped")]), "workers")
    assert [member.state for member in observer.look().members] == ["InService"]


def test_a_group_that_is_not_there_yet_is_not_at_rest() -> None:
    assert not Observer(Aws([], []), "workers").look().at_rest


@pytest.mark.parametrize(
    ("pool", "size"),
    [
        pytest.param({"MinSize": 0}, 4, id="without a limit the pool holds what max leaves"),
        pytest.param({"MinSize": 0, "MaxGroupPreparedCapacity": -1}, 4, id="-1 is no limit"),
        pytest.param({"MinSize": 0, "MaxGroupPreparedCapacity": 3}, 2, id="prepared counts both"),
        pytest.param({"MinSize": 2, "MaxGroupPreparedCapacity": 1}, 2, id="never below its min"),
        pytest.param({"MinSize": 2, "Status": "PendingDelete"}, 0, id="a pool being deleted"),
    ],
)
def test_the_wanted_size_of_the_pool(pool: dict[str, Any], size: int) -> None:
    assert Observer(Aws([group(WarmPoolConfiguration=pool)], []), "w").look().pool_size == size


def look(at: float, state: str = "InService") -> Look:
    return Look(at, 1, (Member("i-1", state),))


def test_of_equal_looks_in_a_row_the_first_and_the_last_are_kept() -> None:
    recorder = Recorder(Observer(Aws([], []), "w"), listener=lambda _: None)
    for seen in (look(1), look(2), look(3), look(4, "Terminating"), look(5, "Terminating")):
        recorder.keep(seen)
    assert [kept.at for kept in recorder.looks] == [1, 3, 4, 5]


def test_a_recorder_that_broke_says_so_where_it_is_read() -> None:
    class Broken(Aws):
        def describe_auto_scaling_groups(self, **_: Any) -> dict[str, Any]:
            raise KeyError("AutoScalingGroups")

    with Recorder(Observer(Broken([], []), "w"), listener=lambda _: None) as recorder:

        def has_failed() -> bool:
            try:
                return recorder.latest is None
            except KeyError:
                return True

        wait_until(has_failed, limit_seconds=20, what="the recorder fails")


def test_waiting_in_vain_names_what_never_happened() -> None:
    with pytest.raises(CommandError, match="the pool is asleep did not happen within 0 seconds"):
        wait_until(lambda: False, limit_seconds=0, what="the pool is asleep")


def test_without_a_terminal_each_change_is_a_line_and_no_change_is_none() -> None:
    written = io.StringIO()
    with LineView(Console(file=written)) as view:
        view.show(look(1, "Warmed:Stopped"))
        view.show(look(2, "Warmed:Stopped"))
        view.show(look(3, "Pending"))
    assert [line.split(" s  ")[1] for line in written.getvalue().splitlines()] == [
        "i-1  new -> Warmed:Stopped",
        "i-1  Warmed:Stopped -> Pending",
    ]
