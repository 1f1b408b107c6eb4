"""From a command's end to what happens to the instance that waits for it."""

import pytest
from fleet_fakes import (
    INSTANCE,
    NOW,
    PROOF,
    TOKEN,
    FakeCommands,
    FakeGroup,
    FakeTags,
    drain_output,
    readiness_output,
)

from pilotlight.errors import (
    CommandUnfinishedError,
    InvocationNotFoundError,
    MalformedEventError,
    TransientError,
)
from pilotlight.fleet.answer import answer_command
from pilotlight.fleet.command_result import (
    CommandEvent,
    Conclusion,
    Invocation,
    Verb,
    conclude,
    parse_command_event,
)
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.outcome import Outcome, Result
from pilotlight.fleet.ticket import Ticket, read_comment, write_comment

EVENT = CommandEvent("command-1", INSTANCE, "Success", NOW)


def finished(
    output: str,
    status: str = "Success",
    details: str | None = None,
    comment: str = f"ready {TOKEN} WarmPool",
) -> Invocation:
    return Invocation(status, details or status, comment, output)


def readiness(invocation: Invocation) -> Conclusion:
    return conclude(Ticket(Pause(INSTANCE, "ready", TOKEN), "WarmPool"), invocation)


def drain(invocation: Invocation, destination: str) -> Conclusion:
    return conclude(Ticket(Pause(INSTANCE, "drain", TOKEN), destination), invocation)


@pytest.mark.parametrize(
    ("invocation", "verb", "reason"),
    [
        (finished(readiness_output()), Verb.CONTINUE, "CHECKS_PASSED"),
        (finished(readiness_output("import_torch"), "Failed"), Verb.ABANDON, "CHECKS_FAILED"),
        (finished(readiness_output("disk_free")), Verb.ABANDON, "CHECKS_FAILED"),
        (finished(readiness_output(), "Failed"), Verb.ABANDON, "COMMAND_FAILED"),
        (finished("Traceback: no module named torch"), Verb.ABANDON, "VERDICT_UNREADABLE"),
        (finished(""), Verb.ABANDON, "VERDICT_UNREADABLE"),
        (finished('{"ready": "yes", "checks": []}'), Verb.ABANDON, "VERDICT_UNREADABLE"),
        (finished("[" * 20_000), Verb.ABANDON, "VERDICT_UNREADABLE"),
        (finished(readiness_output(proof=None)), Verb.ABANDON, "VERDICT_UNREADABLE"),
        (finished("", "TimedOut", "ExecutionTimedOut"), Verb.ABANDON, "SETUP_TIMED_OUT"),
        (finished("", "TimedOut", "DeliveryTimedOut"), Verb.ASK_AGAIN, "NO_ANSWER"),
        (finished("", "Failed", "Undeliverable"), Verb.ASK_AGAIN, "NO_ANSWER"),
        (finished("", "Failed", "Terminated"), Verb.ASK_AGAIN, "NO_ANSWER"),
        (finished("", "Cancelled"), Verb.ASK_AGAIN, "NO_ANSWER"),
    ],
    ids=lambda value: value.status_details if isinstance(value, Invocation) else str(value),
)
def test_only_a_proven_instance_passes_and_only_a_known_failure_abandons(
    invocation: Invocation, verb: Verb, reason: str
) -> None:
    conclusion = readiness(invocation)

    assert (conclusion.verb, conclusion.reason) == (verb, reason)


@pytest.mark.parametrize(
    ("invocation", "reason"),
    [
        (finished(drain_output(False)), "NOT_DRAINED"),
        (finished(drain_output(True), "Failed"), "NOT_DRAINED"),
        (finished("killed", "Failed"), "VERDICT_UNREADABLE"),
        (finished("", "TimedOut", "ExecutionTimedOut"), "DRAIN_TIMED_OUT"),
        (finished("", "TimedOut", "DeliveryTimedOut"), "NO_ANSWER"),
    ],
)
def test_an_undrained_instance_may_leave_but_not_return_to_the_pool(
    invocation: Invocation, reason: str
) -> None:
    to_ec2, to_pool = drain(invocation, "EC2"), drain(invocation, "WarmPool")

    assert (to_ec2.verb, to_ec2.reason) == (Verb.CONTINUE, reason)
    assert (to_pool.verb, to_pool.reason) == (Verb.EVICT, reason)


def test_a_drained_instance_returns_to_the_pool() -> None:
    assert drain(finished(drain_output(True)), "WarmPool").verb is Verb.CONTINUE


def test_the_log_says_which_checks_failed() -> None:
    conclusion = readiness(finished(readiness_output("import_torch", "disk_free"), "Failed"))

    assert conclusion.detail == "import_torch: it broke; disk_free: it broke"


def test_a_flood_of_output_leaves_its_end_in_the_log() -> None:
    conclusion = readiness(finished("x" * 24_000 + "\nNo space left on device", "Failed"))
    logged = Outcome(Result.ABANDONED, conclusion.reason, conclusion.detail).log_fields()

    assert logged["detail"].endswith("No space left on device")
    assert len(logged["detail"]) <= 1_000


def test_proof_tags_fit_into_ec2s_tags() -> None:
    conclusion = readiness(finished(readiness_output(proof=PROOF | {"setup_hash": "a" * 999})))

    assert len(conclusion.proof_tags["pilotlight:setup-hash"]) == 256
    assert set(conclusion.proof_tags) == {
        "pilotlight:setup-hash",
        "pilotlight:template-version",
        "pilotlight:torch-version",
        "pilotlight:proven-at",
    }


def answered(
    invocation: Invocation, group: FakeGroup, event: CommandEvent = EVENT, throttled: bool = False
) -> Outcome:
    commands = FakeCommands(invocations={"command-1": invocation})
    return answer_command(event, commands, group, group, FakeTags(group, throttled))[1]


def test_the_proof_is_written_before_the_instance_passes() -> None:
    group = FakeGroup(open_tokens={TOKEN})

    assert answered(finished(readiness_output()), group).result is Result.CONTINUED
    assert group.calls == [
        ("heartbeat", "ready"),
        ("proof", "abc"),
        ("complete", "ready", "CONTINUE"),
    ]


def test_an_instance_whose_proof_cannot_be_written_does_not_pass_yet() -> None:
    group = FakeGroup(open_tokens={TOKEN})

    with pytest.raises(TransientError):
        answered(finished(readiness_output()), group, throttled=True)

    assert ("complete", "ready", "CONTINUE") not in group.calls


def test_a_failed_check_abandons() -> None:
    group = FakeGroup(open_tokens={TOKEN})

    outcome = answered(finished(readiness_output("import_torch"), "Failed"), group)

    assert (outcome.result, outcome.reason) == (Result.ABANDONED, "CHECKS_FAILED")
    assert group.calls[-1] == ("complete", "ready", "ABANDON")


def test_an_undrained_instance_is_unhealthy_before_it_continues_to_the_pool() -> None:
    """ABANDON would send it back to the pool to be reused."""
    group = FakeGroup(open_tokens={TOKEN})

    answered(finished(drain_output(False), comment=f"drain {TOKEN} WarmPool"), group)

    assert group.calls[1:] == [("unhealthy", INSTANCE), ("complete", "drain", "CONTINUE")]


def test_a_late_failed_drain_does_not_make_a_working_instance_unhealthy() -> None:
    group = FakeGroup(states={INSTANCE: "InService"})

    outcome = answered(finished(drain_output(False), comment=f"drain {TOKEN} WarmPool"), group)

    assert outcome.result is Result.ALREADY_DONE
    assert group.calls == []


@pytest.mark.parametrize(
    ("invocation", "reason"),
    [
        (finished("", comment=""), "COMMAND_OF_OTHERS"),
        (finished("", comment="a person's own words here"), "COMMAND_OF_OTHERS"),
        (finished("", comment=f"codedeploy {TOKEN} EC2"), "COMMAND_OF_OTHERS"),
        (finished(readiness_output(), comment="ready - WarmPool"), "COMMAND_OF_RECONCILE"),
        (finished("", "TimedOut", "DeliveryTimedOut"), "NO_ANSWER"),
    ],
)
def test_what_is_not_ours_to_complete_is_left(invocation: Invocation, reason: str) -> None:
    group = FakeGroup(open_tokens={TOKEN})

    outcome = answered(invocation, group)

    assert (outcome.result, outcome.reason) == (Result.LEFT, reason)
    assert group.calls == []


def test_an_event_of_a_running_command_asks_for_nothing() -> None:
    event = CommandEvent("command-1", INSTANCE, "InProgress", NOW)

    assert answered(finished(""), FakeGroup(), event).reason == "UNFINISHED"


def test_an_invocation_that_lags_behind_its_event_is_read_again() -> None:
    """ssm-pending-abandons: pending is not failed."""
    group = FakeGroup(open_tokens={TOKEN})

    with pytest.raises(CommandUnfinishedError):
        answered(finished("", "InProgress"), group)
    with pytest.raises(InvocationNotFoundError):
        answer_command(EVENT, FakeCommands(), group, group, FakeTags(group))


@pytest.mark.parametrize("token", [TOKEN, None])
def test_a_comment_carries_what_the_event_does_not(token: str | None) -> None:
    ticket = Ticket(Pause(INSTANCE, "ready", token), "AutoScalingGroup")

    assert read_comment(write_comment(ticket), INSTANCE) == ticket


def test_a_comment_too_long_for_ssm_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 100"):
        write_comment(Ticket(Pause(INSTANCE, "h" * 60, TOKEN), "WarmPool"))


@pytest.mark.parametrize("missing", ["command-id", "instance-id", "status", "requested-date-time"])
def test_a_malformed_command_event_is_refused(missing: str) -> None:
    detail = {
        "command-id": "e8d3c0e4-71f7-4491-898f-c9b35bee5f3b",
        "instance-id": INSTANCE,
        "status": "Success",
        "requested-date-time": "2026-09-27T11:22:12.049Z",
    }
    parse_command_event({"detail": detail})

    with pytest.raises(MalformedEventError):
        parse_command_event({"detail": {key: detail[key] for key in detail if key != missing}})
