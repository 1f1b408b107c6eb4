"""From a lifecycle action's event to what is done about it."""

import copy
from typing import Any

import pytest
from fleet_fakes import BOOK, INSTANCE, NOW, TOKEN, FakeCommands, FakeGroup, FakeMachines

from pilotlight.errors import (
    LifecycleActionPendingError,
    MalformedEventError,
    NotRegisteredError,
)
from pilotlight.fleet.answer import answer_lifecycle_action
from pilotlight.fleet.lifecycle_action import (
    LAUNCHING,
    TERMINATING,
    LifecycleAction,
    Pause,
    Plan,
    Step,
    decide,
    parse_lifecycle_action,
    parse_time,
)
from pilotlight.fleet.outcome import Result


def action(
    transition: str = LAUNCHING,
    origin: str | None = "EC2",
    destination: str | None = "WarmPool",
    hook: str = "ready",
) -> LifecycleAction:
    return LifecycleAction(Pause(INSTANCE, hook, TOKEN), transition, origin, destination, NOW)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (action(LAUNCHING, "EC2", "WarmPool"), Plan(Step.CHECK_READINESS, "ENTERING_POOL")),
        (action(LAUNCHING, "EC2", "AutoScalingGroup"), Plan(Step.CHECK_READINESS, "COLD_LAUNCH")),
        (action(LAUNCHING, "WarmPool", "AutoScalingGroup"), Plan(Step.CONTINUE, "WAKING")),
        (
            action(TERMINATING, "AutoScalingGroup", "WarmPool"),
            Plan(Step.DRAIN, "RETURNING_TO_POOL"),
        ),
        (action(TERMINATING, "AutoScalingGroup", "EC2"), Plan(Step.DRAIN, "LEAVING_GROUP")),
        (action(TERMINATING, "WarmPool", "EC2"), Plan(Step.CONTINUE, "LEAVING_POOL")),
        (action(LAUNCHING, None, None), Plan(Step.LEAVE, "NOT_UNDERSTOOD")),
        (action(LAUNCHING, "WarmPool", "EC2"), Plan(Step.LEAVE, "NOT_UNDERSTOOD")),
        (action("autoscaling:EC2_INSTANCE_REPLACING"), Plan(Step.LEAVE, "NOT_UNDERSTOOD")),
        (action(hook="codedeploy"), Plan(Step.LEAVE, "HOOK_OF_OTHERS")),
    ],
    ids=lambda value: "" if isinstance(value, Plan) else f"{value.origin} to {value.destination}",
)
def test_every_transition_has_its_step(subject: LifecycleAction, expected: Plan) -> None:
    assert decide(subject) == expected


def answer(
    subject: LifecycleAction,
    group: FakeGroup,
    commands: FakeCommands,
    machines: FakeMachines | None = None,
) -> Result:
    machines = machines or FakeMachines()
    return answer_lifecycle_action(subject, group, commands, machines, BOOK).result


def test_an_instance_entering_the_pool_is_sent_the_readiness_document() -> None:
    group, commands = FakeGroup(open_tokens={TOKEN}), FakeCommands()

    assert answer(action(), group, commands) is Result.COMMAND_SENT

    [command] = commands.sent
    assert (command.document, command.parameters) == ("readiness", {"timeoutSeconds": ["900"]})
    assert command.comment == f"ready {TOKEN} WarmPool"
    assert group.calls == [("heartbeat", "ready")]


def test_a_leaving_instance_is_sent_the_drain_document() -> None:
    group, commands = FakeGroup(open_tokens={TOKEN}), FakeCommands()

    answer(action(TERMINATING, "AutoScalingGroup", "EC2", "drain"), group, commands)

    assert (commands.sent[0].document, commands.sent[0].parameters) == (
        "drain",
        {"timeoutSeconds": ["60"]},
    )


def test_an_instance_that_leaves_and_does_not_run_goes_at_once() -> None:
    """It was stopped or terminated by others: SSM would keep the command until it expires."""
    group, commands = FakeGroup(open_tokens={TOKEN}), FakeCommands()
    leaving = action(TERMINATING, "AutoScalingGroup", "EC2", "drain")

    assert answer(leaving, group, commands, FakeMachines({})) is Result.CONTINUED

    assert commands.sent == []
    assert group.calls == [("heartbeat", "drain"), ("complete", "drain", "CONTINUE")]


def test_an_instance_that_does_not_run_is_not_let_into_the_pool_undrained() -> None:
    group, commands = FakeGroup(open_tokens={TOKEN}), FakeCommands()
    returning = action(TERMINATING, "AutoScalingGroup", "WarmPool", "drain")

    assert answer(returning, group, commands, FakeMachines({})) is Result.COMMAND_SENT


def test_a_waking_instance_goes_on_without_a_command() -> None:
    group, commands = FakeGroup(open_tokens={TOKEN}), FakeCommands()

    assert answer(action(LAUNCHING, "WarmPool", "AutoScalingGroup"), group, commands) is (
        Result.CONTINUED
    )
    assert (group.calls, commands.sent) == ([("complete", "ready", "CONTINUE")], [])


def test_an_instance_that_ssm_does_not_know_yet_keeps_waiting_with_a_heartbeat() -> None:
    group, commands = FakeGroup(open_tokens={TOKEN}), FakeCommands(registered=set())

    with pytest.raises(NotRegisteredError):
        answer(action(), group, commands)

    assert group.calls == [("heartbeat", "ready")]


def test_a_late_drain_event_does_not_drain_a_worker_that_is_back_in_service() -> None:
    group, commands = FakeGroup(states={INSTANCE: "InService"}), FakeCommands()

    late = action(TERMINATING, "AutoScalingGroup", "WarmPool", "drain")

    assert answer(late, group, commands) is Result.ALREADY_DONE
    assert commands.sent == []


def test_a_late_entry_event_does_not_complete_the_exit() -> None:
    """late-entry-event-completes-exit: only the token of the event counts."""
    group = FakeGroup(open_tokens={"the-exit-token"}, states={INSTANCE: "Pending:Wait"})

    with pytest.raises(LifecycleActionPendingError):
        answer(action(), group, FakeCommands())

    assert group.calls == []


@pytest.mark.parametrize("state", ["Pending", "Pending:Wait", "Warmed:Pending:Wait"])
def test_an_unknown_action_of_a_waiting_instance_is_tried_again(state: str) -> None:
    group = FakeGroup(states={INSTANCE: state})

    with pytest.raises(LifecycleActionPendingError):
        answer(action(LAUNCHING, "WarmPool", "AutoScalingGroup"), group, FakeCommands())


@pytest.mark.parametrize("state", ["InService", "Warmed:Stopped", "Pending:Proceed", None, "New"])
def test_an_unknown_action_of_an_instance_past_its_wait_is_done(state: str | None) -> None:
    """expired-token-redelivered-forever: acknowledged, not redelivered."""
    group = FakeGroup(states={INSTANCE: state} if state else {})

    assert answer(action(LAUNCHING, "WarmPool", "AutoScalingGroup"), group, FakeCommands()) is (
        Result.ALREADY_DONE
    )


def test_what_is_not_understood_is_left_and_never_abandoned() -> None:
    group, commands = FakeGroup(open_tokens={TOKEN}), FakeCommands()

    assert answer(action(LAUNCHING, None, None), group, commands) is Result.LEFT
    assert (group.calls, commands.sent) == ([], [])


BODY: dict[str, Any] = {
    "time": "2026-09-27T11:22:10Z",
    "detail": {
        "LifecycleActionToken": TOKEN,
        "LifecycleHookName": "ready",
        "EC2InstanceId": INSTANCE,
        "LifecycleTransition": LAUNCHING,
        "Origin": "EC2",
        "Destination": "WarmPool",
        "Action": "Launch",
    },
}


def without(*keys: str) -> dict[str, Any]:
    body = copy.deepcopy(BODY)
    for key in keys:
        del body["detail"][key]
    return body


def test_an_event_without_origin_and_destination_is_read() -> None:
    read = parse_lifecycle_action(without("Origin", "Destination"))

    assert read and (read.origin, read.destination) == (None, None)


def test_a_notification_sent_straight_to_sqs_is_read() -> None:
    body = {"Service": "AWS Auto Scaling", "Time": "2026-09-27T11:22:10.123Z"} | BODY["detail"]

    read = parse_lifecycle_action(body)

    assert read and read.pause == Pause(INSTANCE, "ready", TOKEN)


def test_the_test_notification_asks_for_nothing() -> None:
    assert parse_lifecycle_action({"Event": "autoscaling:TEST_NOTIFICATION"}) is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], "list"),
        ("text", "str"),
        ({"time": "2026-09-27T11:22:10Z", "detail": []}, "detail"),
        (without("LifecycleActionToken"), "LifecycleActionToken is missing"),
        (without("EC2InstanceId"), "EC2InstanceId is missing"),
        (BODY | {"time": "yesterday"}, "yesterday"),
        (BODY | {"detail": BODY["detail"] | {"EC2InstanceId": "i-1; rm -rf /"}}, "EC2InstanceId"),
        (BODY | {"detail": BODY["detail"] | {"LifecycleHookName": {"a": 1}}}, "LifecycleHookName"),
        (BODY | {"detail": BODY["detail"] | {"Origin": "x" * 10_000}}, "Origin"),
    ],
)
def test_a_malformed_event_names_what_is_wrong_and_stays_short(body: object, named: str) -> None:
    with pytest.raises(MalformedEventError) as caught:
        parse_lifecycle_action(body)

    assert named in str(caught.value)
    assert len(str(caught.value)) < 300


def test_seconds_waited_are_counted_from_the_events_time() -> None:
    fields = action().log_fields(parse_time("2026-09-27T12:00:07.5Z"))

    assert fields["seconds_waited"] == 7.5
