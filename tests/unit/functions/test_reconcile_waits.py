"""Instances held in a Wait state that no event, or no answer, has freed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from fleet_fakes import (
    BOOK,
    INSTANCE,
    NOW,
    TOKEN,
    FakeCommands,
    FakeGroup,
    FakeMachines,
    FakeTags,
    drain_output,
    readiness_output,
)

from pilotlight.errors import InstanceUnknownError, TransientError
from pilotlight.fleet.command_result import Invocation
from pilotlight.fleet.commands import Command
from pilotlight.fleet.group import Member
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.outcome import Outcome, Result
from pilotlight.fleet.settle_waits import WaitCare
from pilotlight.fleet.ticket import Ticket
from pilotlight.fleet.wait_decisions import SentCommand
from pilotlight.fleet.waits import Activity, Wait, find_waits

ENTERING = "Launching a new EC2 instance into warm pool: "
COLD = "Launching a new EC2 instance: "
WAKING = "Launching a new EC2 instance from warm pool: "
LEAVING = "Terminating EC2 instance: "


def activity(text: str, age_seconds: float, status: str = "MidLifecycleAction") -> Activity:
    return Activity(f"{text}{INSTANCE}", status, "", NOW - timedelta(seconds=age_seconds))


def sent(
    status: str, age_seconds: float, document: str = "readiness", number: int = 1
) -> SentCommand:
    return SentCommand(f"command-{number}", document, status, NOW - timedelta(seconds=age_seconds))


def waits(state: str, *activities: Activity) -> list[Wait]:
    return find_waits([Member(INSTANCE, state)], activities)


def settled(
    found: list[Wait],
    commands: FakeCommands,
    states: dict[str, str] | None = None,
    machines: FakeMachines | None = None,
) -> tuple[list[Outcome], FakeGroup]:
    """The instance is still where it was seen, unless `states` says otherwise."""
    held = {wait.instance_id: wait.state for wait in found}
    group = FakeGroup(open_tokens={"any"}, states=held if states is None else states)
    care = WaitCare(group, group, FakeTags(group), commands, machines or FakeMachines(), BOOK)
    return [outcome for _, outcome in care.settle_all(found, NOW)], group


@pytest.mark.parametrize(
    ("state", "description", "hook", "origin", "destination"),
    [
        ("Warmed:Pending:Wait", ENTERING, "ready", "EC2", "WarmPool"),
        ("Warmed:Pending:Wait", LEAVING, "drain", "AutoScalingGroup", "WarmPool"),
        ("Warmed:Pending:Wait", None, "drain", "AutoScalingGroup", "WarmPool"),
        ("Pending:Wait", COLD, "ready", "EC2", "AutoScalingGroup"),
        ("Pending:Wait", WAKING, "ready", "WarmPool", "AutoScalingGroup"),
        ("Pending:Wait", None, "ready", "EC2", "AutoScalingGroup"),
        ("Terminating:Wait", LEAVING, "drain", "AutoScalingGroup", "EC2"),
        ("Warmed:Terminating:Wait", LEAVING, "drain", "WarmPool", "EC2"),
    ],
)
def test_a_wait_is_explained_by_its_open_activity(
    state: str, description: str | None, hook: str, origin: str, destination: str
) -> None:
    over = activity(ENTERING, 9_000, "Successful")
    [wait] = waits(state, over, *([activity(description, 10)] if description else []))

    assert (wait.hook, wait.origin, wait.destination) == (hook, origin, destination)


@pytest.mark.parametrize(
    ("description", "state", "age_seconds"),
    [(ENTERING, "Warmed:Pending:Wait", 119), (WAKING, "Pending:Wait", 29)],
)
def test_a_wait_that_is_not_due_is_left_to_its_event(
    description: str, state: str, age_seconds: float
) -> None:
    outcomes, group = settled(waits(state, activity(description, age_seconds)), FakeCommands())

    assert (outcomes, group.calls) == ([], [])


def test_a_wake_whose_event_was_lost_goes_on_within_the_minute() -> None:
    outcomes, group = settled(waits("Pending:Wait", activity(WAKING, 31)), FakeCommands())

    assert outcomes == [Outcome(Result.CONTINUED, "EVENT_LOST")]
    assert group.calls == [("complete", "ready", "CONTINUE")]


def test_a_launch_whose_event_was_lost_is_sent_its_command() -> None:
    commands = FakeCommands()

    settled(waits("Warmed:Pending:Wait", activity(ENTERING, 121)), commands)

    assert [command.comment for command in commands.sent] == ["ready - WarmPool"]


def test_a_running_command_is_left_to_run_and_kept_alive() -> None:
    """install-longer-than-lambda: the hook's timeout restarts as long as the setup runs."""
    commands = FakeCommands(history=[sent("InProgress", 700)])

    outcomes, group = settled(waits("Warmed:Pending:Wait", activity(ENTERING, 710)), commands)

    assert outcomes[0].result is Result.HEARTBEAT
    assert (group.calls, commands.sent) == ([("heartbeat", "ready")], [])


@pytest.mark.parametrize(
    ("commands", "result"),
    [
        ([sent("InProgress", 1_321)], Result.COMMAND_SENT),
        ([sent("TimedOut", 1_800), sent("InProgress", 1_321, number=2)], Result.ABANDONED),
    ],
    ids=["asked again", "given up"],
)
def test_a_command_that_runs_beyond_its_own_limit_has_no_answer(
    commands: list[SentCommand], result: Result
) -> None:
    """SSM says InProgress for two hours when the agent is gone in the middle of a command."""
    held = waits("Warmed:Pending:Wait", activity(ENTERING, 1_900))

    outcomes, _ = settled(held, FakeCommands(history=commands))

    assert (outcomes[0].result, outcomes[0].reason) == (result, "NO_ANSWER")


def test_a_result_whose_event_was_lost_completes_the_action() -> None:
    commands = FakeCommands(
        history=[sent("Success", 300)],
        invocations={"command-1": Invocation("Success", "Success", "", readiness_output())},
    )

    outcomes, group = settled(waits("Warmed:Pending:Wait", activity(ENTERING, 310)), commands)

    assert outcomes == [Outcome(Result.CONTINUED, "CHECKS_PASSED")]
    assert group.calls[1:] == [("proof", "abc"), ("complete", "ready", "CONTINUE")]


@pytest.mark.parametrize(
    ("token", "ended_seconds_ago", "result"),
    [(TOKEN, 59, Result.LEFT), (TOKEN, 60, Result.CONTINUED), ("-", 1, Result.CONTINUED)],
    ids=["its event may still come", "its event is lost", "reconcile's own has no event"],
)
def test_a_result_is_left_to_its_event_for_a_minute(
    token: str, ended_seconds_ago: float, result: Result
) -> None:
    ended_at = NOW - timedelta(seconds=ended_seconds_ago)
    comment = f"ready {token} WarmPool"
    passed = Invocation("Success", "Success", comment, readiness_output(), ended_at=ended_at)
    commands = FakeCommands(history=[sent("Success", 300)], invocations={"command-1": passed})

    outcomes, _ = settled(waits("Warmed:Pending:Wait", activity(ENTERING, 310)), commands)

    assert outcomes[0].result is result


def test_a_lost_failure_abandons_by_the_same_rule() -> None:
    failed = Invocation("Failed", "Failed", "", readiness_output("import_torch"))
    commands = FakeCommands(history=[sent("Failed", 300)], invocations={"command-1": failed})

    outcomes, _ = settled(waits("Warmed:Pending:Wait", activity(ENTERING, 310)), commands)

    assert (outcomes[0].result, outcomes[0].reason) == (Result.ABANDONED, "CHECKS_FAILED")


class TagsOfNobody(FakeTags):
    def write(self, instance_id: str, tags: Mapping[str, str]) -> None:
        raise InstanceUnknownError(instance_id)


def test_an_instance_that_ends_after_it_passed_is_not_waited_for() -> None:
    """Its proof can never be written, and each try would restart the timeout of the hook."""
    passed = Invocation("Success", "Success", "", readiness_output())
    commands = FakeCommands(history=[sent("Success", 300)], invocations={"command-1": passed})
    group = FakeGroup(open_tokens={"any"}, states={INSTANCE: "Warmed:Pending:Wait"})
    care = WaitCare(group, group, TagsOfNobody(group), commands, FakeMachines(), BOOK)
    held = waits("Warmed:Pending:Wait", activity(ENTERING, 310))

    [(_, outcome)] = care.settle_all(held, NOW)

    assert (outcome.result, outcome.reason) == (Result.ABANDONED, "INSTANCE_GONE")


def test_a_command_of_an_earlier_stay_says_nothing_about_this_one() -> None:
    commands = FakeCommands(history=[sent("Success", 500)])

    settled(waits("Pending:Wait", activity(COLD, 400)), commands)

    assert len(commands.sent) == 1


def test_a_return_without_activity_is_drained_and_then_let_go_on_the_fresh_answer() -> None:
    found = waits("Warmed:Pending:Wait")
    commands = FakeCommands(history=[sent("Success", 86_400, "drain")])
    outcomes, _ = settled(found, commands)
    assert outcomes[0].result is Result.COMMAND_SENT

    commands.history.append(sent("Success", 60, "drain", number=2))
    commands.invocations["command-2"] = Invocation("Success", "Success", "", drain_output(True))
    outcomes, _ = settled(found, commands)
    assert outcomes[0].reason == "DRAINED"


UNANSWERED = Invocation("TimedOut", "DeliveryTimedOut", "", "")


def test_a_command_without_answer_is_sent_once_more() -> None:
    commands = FakeCommands(history=[sent("TimedOut", 300)], invocations={"command-1": UNANSWERED})

    outcomes, _ = settled(waits("Warmed:Pending:Wait", activity(ENTERING, 310)), commands)

    assert (outcomes[0].result, outcomes[0].reason) == (Result.COMMAND_SENT, "NO_ANSWER")


@pytest.mark.parametrize(
    ("state", "description", "document", "calls"),
    [
        ("Warmed:Pending:Wait", ENTERING, "readiness", [("complete", "ready", "ABANDON")]),
        ("Terminating:Wait", LEAVING, "drain", [("complete", "drain", "CONTINUE")]),
    ],
)
def test_an_instance_that_never_answers_is_given_up(
    state: str, description: str, document: str, calls: list[tuple[str, ...]]
) -> None:
    commands = FakeCommands(
        history=[sent("TimedOut", 600, document), sent("TimedOut", 300, document, number=2)],
        invocations={"command-2": UNANSWERED},
    )

    _, group = settled(waits(state, activity(description, 610)), commands)

    assert group.calls[1:] == calls


@pytest.mark.parametrize(
    ("age_seconds", "result"), [(300, Result.LEFT), (900 + 121, Result.ABANDONED)]
)
def test_an_instance_that_never_registers_has_its_setup_time_and_no_more(
    age_seconds: float, result: Result
) -> None:
    commands = FakeCommands(registered=set())

    outcomes, _ = settled(waits("Pending:Wait", activity(COLD, age_seconds)), commands)

    assert outcomes[0].result is result


def test_an_instance_that_ssm_has_forgotten_does_not_return_to_the_pool() -> None:
    commands = FakeCommands(registered=set())

    _, group = settled(waits("Warmed:Pending:Wait", activity(LEAVING, 300)), commands)

    assert group.calls[1:] == [("unhealthy", INSTANCE), ("complete", "drain", "CONTINUE")]


@pytest.mark.parametrize(
    ("state", "calls"),
    [
        ("Terminating:Wait", [("complete", "drain", "CONTINUE")]),
        ("Warmed:Pending:Wait", [("unhealthy", INSTANCE), ("complete", "drain", "CONTINUE")]),
    ],
    ids=["leaves", "would return"],
)
def test_what_does_not_run_is_not_asked_to_drain(state: str, calls: list[tuple[str, ...]]) -> None:
    commands = FakeCommands()

    outcomes, group = settled(
        waits(state, activity(LEAVING, 130)), commands, machines=FakeMachines({})
    )

    assert (outcomes[0].reason, commands.sent) == ("NOT_RUNNING", [])
    assert group.calls[1:] == calls


class Hasty(FakeGroup):
    """Its instances move on as soon as reconcile has looked at all of them again."""

    def lifecycle_states(self, instance_ids: Sequence[str]) -> Mapping[str, str]:
        seen = super().lifecycle_states(instance_ids)
        self.states = dict.fromkeys(seen, "InService")
        return seen


def test_an_instance_that_moves_on_meanwhile_is_not_touched() -> None:
    """Without a token any open action would be met, also the next one."""
    group = Hasty(open_tokens={"any"}, states={INSTANCE: "Pending:Wait"})
    care = WaitCare(group, group, FakeTags(group), FakeCommands(), FakeMachines(), BOOK)

    [(_, outcome)] = care.settle_all(waits("Pending:Wait", activity(WAKING, 60)), NOW)

    assert (outcome.result, group.calls) == (Result.LEFT, [])


def test_an_instance_that_moved_on_while_activities_were_read_is_asked_nothing() -> None:
    """Of thousands that wake at once many have; nothing explains their wait any more."""
    commands = FakeCommands()

    outcomes, _ = settled(waits("Pending:Wait"), commands, states={INSTANCE: "InService"})

    assert (outcomes, commands.sent) == ([], [])


def test_what_moved_on_does_not_crowd_out_what_still_waits() -> None:
    gone = [Member(f"i-{number:017x}", "Pending:Wait") for number in range(300)]
    found = find_waits([*gone, Member(INSTANCE, "Pending:Wait")], [])

    outcomes, _ = settled(found, FakeCommands(), states={INSTANCE: "Pending:Wait"})

    assert [outcome.result for outcome in outcomes] == [Result.COMMAND_SENT]


def launching(number: int, description: str = ENTERING) -> tuple[Member, Activity]:
    instance_id = f"i-{number:017x}"
    state = "Pending:Wait" if description == COLD else "Warmed:Pending:Wait"
    began_at = NOW - timedelta(seconds=300)
    began = Activity(f"{description}{instance_id}", "MidLifecycleAction", "", began_at)
    return Member(instance_id, state), began


def asked(
    *launches: tuple[Member, Activity], unregistered: int = 0
) -> tuple[list[int], Counter[tuple[Result, str]]]:
    """How many instances each command went to; outcomes with their reasons."""
    members, activities = zip(*launches, strict=True)
    found = find_waits(members, activities)
    registered = {wait.instance_id for wait in found[unregistered:]}
    commands = FakeCommands(registered=registered)
    outcomes, _ = settled(found, commands)
    sizes = [len(command.instance_ids) for command in commands.sent]
    return sizes, Counter((outcome.result, outcome.reason) for outcome in outcomes)


def test_instances_that_wait_for_the_same_are_asked_by_one_command() -> None:
    entering = [launching(number) for number in range(60)]
    cold = [launching(100 + number, COLD) for number in range(3)]

    sizes, outcomes = asked(*entering, *cold)

    assert sorted(sizes) == [3, 10, 50]
    assert outcomes == {(Result.COMMAND_SENT, "NO_COMMAND_SENT"): 63}


def test_one_that_is_not_registered_does_not_keep_the_others_from_being_asked() -> None:
    """SSM refuses the command for all of them, and does not say because of which."""
    sizes, outcomes = asked(*(launching(number) for number in range(4)), unregistered=1)

    assert sizes == [1, 1, 1]
    assert outcomes == {
        (Result.LEFT, "NOT_REGISTERED"): 1,
        (Result.COMMAND_SENT, "NO_COMMAND_SENT"): 3,
    }


def test_a_command_cannot_carry_the_tokens_of_two_actions() -> None:
    tickets = [Ticket(Pause(INSTANCE, "ready", token), "WarmPool") for token in (TOKEN, "other")]

    with pytest.raises(ValueError, match="one command cannot carry"):
        BOOK.command_for(*tickets)


def test_commands_that_are_throttled_wait_for_the_next_minute() -> None:
    class Throttled(FakeCommands):
        def send(self, command: Command) -> str:
            raise TransientError("Rate exceeded")

    outcomes, _ = settled(waits("Warmed:Pending:Wait", activity(ENTERING, 300)), Throttled())

    assert [outcome.result for outcome in outcomes] == [Result.DEFERRED]


def test_one_instance_that_is_not_ready_does_not_keep_the_others() -> None:
    other = "i-065912b0a0b011659"
    found = find_waits([Member(INSTANCE, "Pending:Wait"), Member(other, "Pending:Wait")], [])
    commands = FakeCommands(history=[sent("Success", 10)], registered={INSTANCE, other})

    outcomes, _ = settled(found, commands)

    assert [outcome.result for outcome in outcomes] == [Result.DEFERRED, Result.DEFERRED]
