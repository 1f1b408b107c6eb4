"""The handlers with their recorded events: what goes in, what is logged, what goes back."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from fleet_fakes import (
    INSTANCE,
    NOW,
    TOKEN,
    FakeCommands,
    FakeGroup,
    FakeHeartbeats,
    FakeMachines,
    FakeSource,
    FakeTags,
    group_of,
    readiness_output,
)

from pilotlight.errors import GroupNotFoundError, SettingsError, TransientError
from pilotlight.fleet.command_result import Invocation
from pilotlight.fleet.dead_workers import WorkerCare
from pilotlight.fleet.group import Group, Member
from pilotlight.scaling.decision import QueueDepth
from pilotlight.scaling.forecast import ArrivalHistory

Load = Callable[..., ModuleType]
Recorded = Callable[[str], dict[str, Any]]
Lines = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


class FakeJobs:
    def __init__(self, visible: int = 0, error: Exception | None = None) -> None:
        self.visible = visible
        self.error = error

    def depth(self) -> QueueDepth:
        if self.error:
            raise self.error
        return QueueDepth(visible=self.visible, in_flight=0, delayed=0)


class FakeWatch:
    def __init__(self) -> None:
        self.delays: list[int] = []

    def send_ticks(self, delays_seconds: Sequence[int]) -> None:
        self.delays.extend(delays_seconds)


class FakeArrivals:
    def __init__(self, *per_minute: int) -> None:
        self.per_minute = per_minute

    def history(self) -> ArrivalHistory:
        return ArrivalHistory(per_minute=self.per_minute)


class NoGroup(FakeGroup):
    def describe(self) -> Group:
        raise GroupNotFoundError("there is no Auto Scaling group named g")


@pytest.fixture
def on_lifecycle_action(load_function: Load) -> ModuleType:
    app: Any = load_function("on_lifecycle_action")
    app.group = FakeGroup(open_tokens={TOKEN})
    app.commands = FakeCommands()
    app.machines = FakeMachines()
    app.source = FakeSource()
    return app  # type: ignore[no-any-return]


def one_record(event: dict[str, Any], body: object | None = None) -> dict[str, Any]:
    record = dict(event["Records"][0])
    if body is not None:
        record["body"] = body if isinstance(body, str) else json.dumps(body)
    return {"Records": [record]}


@pytest.mark.parametrize(
    "name", ["on_lifecycle_action", "on_command_result", "on_queue_depth", "reconcile"]
)
def test_a_function_refuses_to_start_with_a_malformed_setting(
    load_function: Load, name: str
) -> None:
    with pytest.raises(SettingsError, match="GROUP_NAME"):
        load_function(name, GROUP_NAME="")


def test_a_decision_is_one_line_with_all_that_a_reader_asks(
    on_lifecycle_action: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    response = on_lifecycle_action.handler(
        one_record(recorded_event("on_lifecycle_action")), context
    )

    [line] = log_lines()
    assert response == {"batchItemFailures": []}
    assert line["message"] == "lifecycle action"
    assert (line["instance_id"], line["hook"], line["token"]) == (INSTANCE, "ready", TOKEN)
    assert (line["origin"], line["destination"]) == ("EC2", "WarmPool")
    assert (line["result"], line["reason"]) == ("CommandSent", "ENTERING_POOL")
    assert line["seconds_waited"] > 0
    assert line["function_request_id"] == context.aws_request_id


def test_all_six_recorded_transitions_are_understood(
    on_lifecycle_action: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    event = recorded_event("on_lifecycle_action")
    bodies = [json.loads(record["body"])["detail"] for record in event["Records"]]
    on_lifecycle_action.commands.registered = {body["EC2InstanceId"] for body in bodies}
    on_lifecycle_action.machines.running = {body["EC2InstanceId"]: NOW for body in bodies}
    for body in bodies:
        on_lifecycle_action.group.open_tokens.add(body["LifecycleActionToken"])

    # One at a time: completing one closes every open action of the fake.
    for record, body in zip(event["Records"], bodies, strict=True):
        on_lifecycle_action.group.open_tokens.add(body["LifecycleActionToken"])
        on_lifecycle_action.handler({"Records": [record]}, context)

    assert [line["reason"] for line in log_lines()] == [
        "ENTERING_POOL",
        "COLD_LAUNCH",
        "WAKING",
        "RETURNING_TO_POOL",
        "LEAVING_GROUP",
        "LEAVING_POOL",
    ]


def test_an_instance_that_is_not_registered_yet_is_given_back_for_a_moment(
    on_lifecycle_action: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_lifecycle_action.commands.registered = set()
    event = one_record(recorded_event("on_lifecycle_action"))

    response = on_lifecycle_action.handler(event, context)

    record = event["Records"][0]
    assert response == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert on_lifecycle_action.source.given_back == [(record["receiptHandle"], 15)]
    [line] = log_lines()
    assert (line["result"], line["reason"]) == ("Deferred", "NOT_REGISTERED")
    assert line["instance_id"] == INSTANCE
    assert line["level"] == "INFO"


@pytest.mark.parametrize(
    "body", ["", "not json", "[]", "{}", "[" * 100_000, '{"detail": {"EC2InstanceId": "i-\\n"}}']
)
def test_a_malformed_record_is_named_counted_and_acknowledged(
    on_lifecycle_action: Any,
    recorded_event: Recorded,
    log_lines: Lines,
    context: Any,
    capsys: pytest.CaptureFixture[str],
    body: str,
) -> None:
    event = one_record(recorded_event("on_lifecycle_action"), body)

    response = on_lifecycle_action.handler(event, context)

    [line] = log_lines()
    assert response == {"batchItemFailures": []}
    assert (line["level"], line["message"]) == ("ERROR", "malformed record")
    assert line["message_id"] == event["Records"][0]["messageId"]
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["MalformedRecord"] == [1.0]
    assert metrics["group"] == "pilotlight-workers"


def test_a_malformed_record_does_not_keep_the_others(
    on_lifecycle_action: Any, recorded_event: Recorded, context: Any
) -> None:
    good = recorded_event("on_lifecycle_action")["Records"][0]

    response = on_lifecycle_action.handler({"Records": [good | {"body": "?"}, good]}, context)

    assert response == {"batchItemFailures": []}
    assert len(on_lifecycle_action.commands.sent) == 1


def test_an_unknown_error_is_logged_and_left_to_the_dead_letter_queue(
    on_lifecycle_action: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    class BrokenGroup(FakeGroup):
        def record_heartbeat(self, pause: object) -> None:
            raise PermissionError("AccessDenied")

    on_lifecycle_action.group = BrokenGroup()
    event = one_record(recorded_event("on_lifecycle_action"))

    response = on_lifecycle_action.handler(event, context)

    assert len(response["batchItemFailures"]) == 1
    assert on_lifecycle_action.source.given_back == []
    [line] = log_lines()
    assert (line["level"], line["exception_name"]) == ("ERROR", "PermissionError")
    assert line["instance_id"] == INSTANCE


def test_the_test_notification_is_acknowledged(
    on_lifecycle_action: Any, recorded_event: Recorded, context: Any
) -> None:
    body = {"Event": "autoscaling:TEST_NOTIFICATION", "AutoScalingGroupName": "g"}
    event = one_record(recorded_event("on_lifecycle_action"), body)

    assert on_lifecycle_action.handler(event, context) == {"batchItemFailures": []}


def test_a_command_result_completes_and_says_for_which_hook(
    load_function: Load, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    app: Any = load_function("on_command_result")
    app.group = FakeGroup(open_tokens={TOKEN})
    app.tags = FakeTags(app.group)
    passed = Invocation("Success", "Success", f"ready {TOKEN} WarmPool", readiness_output())
    app.commands = FakeCommands(invocations={"e8d3c0e4-71f7-4491-898f-c9b35bee5f3b": passed})

    app.handler(recorded_event("on_command_result"), context)

    [line] = log_lines()
    assert app.group.calls[-1] == ("complete", "ready", "CONTINUE")
    assert (line["result"], line["reason"]) == ("Continued", "CHECKS_PASSED")
    assert (line["hook"], line["token"], line["destination"]) == ("ready", TOKEN, "WarmPool")


def test_what_an_instance_prints_cannot_forge_a_log_line(
    load_function: Load, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    app: Any = load_function("on_command_result")
    app.group = FakeGroup(open_tokens={TOKEN})
    forged = 'x\n{"level": "INFO", "message": "all is well"}\u2028\x00'
    failed = Invocation("Failed", "Failed", f"ready {TOKEN} WarmPool", forged)
    app.commands = FakeCommands(invocations={"e8d3c0e4-71f7-4491-898f-c9b35bee5f3b": failed})

    app.handler(recorded_event("on_command_result"), context)

    [line] = log_lines()
    assert (line["result"], line["level"]) == ("Abandoned", "WARNING")


@pytest.fixture
def on_queue_depth(load_function: Load) -> ModuleType:
    app: Any = load_function("on_queue_depth")
    app.group = FakeGroup(described=group_of(Member(INSTANCE, "InService", True)))
    app.jobs = FakeJobs(visible=3)
    return app  # type: ignore[no-any-return]


def test_the_alarm_sets_the_capacity_that_the_backlog_asks_for(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.handler(recorded_event("on_queue_depth"), context)

    [line] = log_lines()
    assert on_queue_depth.group.calls == [("capacity", "3")]
    assert (line["message"], line["trigger"]) == ("capacity set", "alarm")
    assert (line["desired"], line["capacity"], line["reason"]) == (1, 3, "BACKLOG")
    assert (line["visible"], line["in_flight"], line["alarm"]) == (3, 0, "pilotlight-queue-depth")


def test_ticks_that_come_together_are_one_look(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    [tick] = recorded_event("on_queue_depth_tick")["Records"]

    on_queue_depth.handler({"Records": [tick, tick]}, context)

    [line] = log_lines()
    assert on_queue_depth.group.calls == [("capacity", "3")]
    assert line["trigger"] == "watch"


def test_a_look_that_changes_nothing_is_silent(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.jobs.visible = 1

    on_queue_depth.handler(recorded_event("on_queue_depth_tick"), context)

    assert (log_lines(), on_queue_depth.group.calls) == ([], [])


@pytest.mark.parametrize("event", ["on_queue_depth", "on_queue_depth_tick"])
def test_a_look_that_fails_is_raised_so_that_it_is_counted_and_made_again(
    on_queue_depth: Any, recorded_event: Recorded, context: Any, event: str
) -> None:
    on_queue_depth.jobs.error = PermissionError("AccessDenied")

    with pytest.raises(PermissionError):
        on_queue_depth.handler(recorded_event(event), context)


def test_there_is_nothing_to_scale_while_the_group_does_not_exist(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.group = NoGroup()

    on_queue_depth.handler(recorded_event("on_queue_depth_tick"), context)

    [line] = log_lines()
    assert (line["level"], line["message"]) == ("INFO", "nothing to scale")


def test_an_unknown_depth_is_a_warning_and_changes_nothing(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.jobs.error = TransientError("Rate exceeded")

    on_queue_depth.handler(recorded_event("on_queue_depth"), context)

    assert (log_lines()[0]["level"], log_lines()[0]["reason"]) == ("WARNING", "UNKNOWN_METRICS")
    assert on_queue_depth.group.calls == []


def test_no_watch_runs_when_it_is_off(
    load_function: Load, recorded_event: Recorded, context: Any
) -> None:
    app: Any = load_function("reconcile", WATCH_SECONDS="0")
    app.group, app.watch = NoGroup(), FakeWatch()

    app.handler(recorded_event("reconcile"), context)

    assert app.watch.delays == []


@pytest.fixture
def reconcile(load_function: Load) -> ModuleType:
    app: Any = load_function("reconcile")
    app.group = FakeGroup(
        described=group_of(Member(INSTANCE, "InService", True), suspended_processes=frozenset())
    )
    app.jobs, app.watch, app.arrivals = FakeJobs(visible=2), FakeWatch(), FakeArrivals()
    app.worker_care = WorkerCare(FakeHeartbeats(), FakeMachines(), timedelta(minutes=5))
    return app  # type: ignore[no-any-return]


def test_while_jobs_come_the_queue_is_looked_at_each_second(
    reconcile: Any, recorded_event: Recorded, context: Any
) -> None:
    reconcile.arrivals = FakeArrivals(1, 1, 1)

    reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.watch.delays == list(range(1, 60))


def test_each_minute_capacity_watch_and_processes_are_set_right(
    reconcile: Any, recorded_event: Recorded, context: Any
) -> None:
    reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.group.calls == [("capacity", "2"), ("suspend", "AZRebalance")]
    assert reconcile.watch.delays == list(range(3, 60, 3))
    assert reconcile.worker_care.heartbeats.rows.keys() == {"reconcile"}


def test_the_watch_goes_on_when_the_fleet_cannot_be_seen(
    reconcile: Any, recorded_event: Recorded, context: Any
) -> None:
    class Throttled(FakeGroup):
        def describe(self) -> Group:
            raise TransientError("Rate exceeded")

    reconcile.group = Throttled()

    with pytest.raises(ExceptionGroup, match="some steps failed"):
        reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.watch.delays == list(range(3, 60, 3))


def test_one_step_that_fails_does_not_keep_the_others_and_is_raised_in_the_end(
    reconcile: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    reconcile.jobs.error = PermissionError("AccessDenied")

    with pytest.raises(ExceptionGroup, match="some steps failed"):
        reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.group.calls == [("suspend", "AZRebalance")]
    assert log_lines()[0]["step"] == "capacity"


def test_there_is_nothing_to_reconcile_before_the_group_exists(
    reconcile: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    reconcile.group = NoGroup()

    reconcile.handler(recorded_event("reconcile"), context)

    assert log_lines()[0]["message"] == "nothing to reconcile"
