"""What to do about one wait that is due, from the commands that were sent for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pilotlight.fleet.command_result import (
    UNFINISHED_STATUSES,
    Conclusion,
    Invocation,
    Verb,
)
from pilotlight.fleet.lifecycle_action import DRAIN_HOOK, EC2, READY_HOOK
from pilotlight.fleet.ticket import read_comment
from pilotlight.fleet.waits import EVENT_DUE, Wait

# A result's own event is on its way for so long; reading it earlier would only race with it.
RESULT_DUE = timedelta(seconds=60)
# How old an answer may be when nothing says when the wait began.
FRESH = timedelta(seconds=300)
# Commands that got no answer before an instance is given up.
MAX_UNANSWERED = 2


@dataclass(frozen=True, slots=True)
class SentCommand:
    """An invocation as ListCommandInvocations shows it, without its output."""

    command_id: str
    document: str
    status: str
    requested_at: datetime

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED_STATUSES


class Move(StrEnum):
    """What reconcile does about one wait."""

    LEAVE = "LEAVE"
    CONTINUE = "CONTINUE"
    SEND = "SEND"
    HEARTBEAT = "HEARTBEAT"
    READ_RESULT = "READ_RESULT"
    GIVE_UP = "GIVE_UP"


@dataclass(frozen=True, slots=True)
class WaitDecision:
    move: Move
    reason: str
    command_id: str = ""


def commands_of(
    wait: Wait, sent: Iterable[SentCommand], document: str, now: datetime
) -> list[SentCommand]:
    """Of an instance's commands those that this wait asked for, oldest first.

    A command of an earlier stay in a Wait state says nothing about this one. Where the beginning is
    not known, an answer counts while it is fresh; if it was too old, it is only asked for again.
    """
    since = wait.began_at or now - FRESH
    mine = [
        command
        for command in sent
        if command.document == document
        and (command.requested_at >= since or (wait.began_at is None and not command.is_finished))
    ]
    return sorted(mine, key=lambda command: command.requested_at)


def decide_wait(
    wait: Wait, asked: list[SentCommand], longest: timedelta, now: datetime
) -> WaitDecision:
    """For a wait that is due; `asked` as `commands_of` returns it.

    A command that runs for longer than it ever should is one without an answer: its agent, or the
    whole instance, went away while it ran.
    """
    if not wait.has_command:
        return WaitDecision(Move.CONTINUE, "EVENT_LOST")
    if not asked:
        return WaitDecision(Move.SEND, "NO_COMMAND_SENT")
    newest = asked[-1]
    if not newest.is_finished and now - newest.requested_at > longest:
        return decide_unanswered(asked)
    if not newest.is_finished:
        return WaitDecision(Move.HEARTBEAT, "COMMAND_RUNS", newest.command_id)
    return WaitDecision(Move.READ_RESULT, "RESULT_LOST", newest.command_id)


def is_on_its_way(invocation: Invocation, now: datetime) -> bool:
    """Whether the result is so fresh that its event may still come; reconcile's own has none."""
    ticket = read_comment(invocation.comment, "")
    if ticket is None or ticket.pause.token is None or invocation.ended_at is None:
        return False
    return now - invocation.ended_at < RESULT_DUE


def decide_unanswered(asked: list[SentCommand]) -> WaitDecision:
    """When the newest command got no answer from the instance, or not in time."""
    if len(asked) < MAX_UNANSWERED:
        return WaitDecision(Move.SEND, "NO_ANSWER")
    return WaitDecision(Move.GIVE_UP, "NO_ANSWER")


def decide_unregistered(wait: Wait, setup_timeout: timedelta, now: datetime) -> WaitDecision:
    """When SSM refuses the command because it does not know the instance.

    A launching instance has its setup time to register; one that leaves has been registered
    before and will not be again.
    """
    if wait.hook == DRAIN_HOOK:
        return WaitDecision(Move.GIVE_UP, "NOT_REGISTERED")
    if wait.began_at is not None and now - wait.began_at > setup_timeout + EVENT_DUE:
        return WaitDecision(Move.GIVE_UP, "NEVER_REGISTERED")
    return WaitDecision(Move.LEAVE, "NOT_REGISTERED")


def give_up(wait: Wait, reason: str) -> Conclusion:
    """Unproven never passes; undrained never returns to the pool."""
    if wait.hook == READY_HOOK:
        return Conclusion(Verb.ABANDON, reason)
    return Conclusion(Verb.CONTINUE if wait.destination == EC2 else Verb.EVICT, reason)
