"""The handlers with their recorded events: what goes in, what is logged, what goes back."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fleet_fakes import (
    INSTANCE,
    NOW,
    TOKEN,
    FakeCommands,
    FakeGroup,
    FakeMachines,
    FakeSource,
    FakeTags,
    readiness_output,
)

from pilotlight.errors import SettingsError
from pilotlight.fleet.command_result import Invocation

Load = Callable[..., ModuleType]
Recorded = Callable[[str], dict[str, Any]]
Lines = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


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
