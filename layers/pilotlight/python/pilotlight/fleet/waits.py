"""Instances that a lifecycle hook holds: for how long, for what, and what to do about it.

Events are best effort, so this reads only what AWS shows now: states, activities, commands.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pilotlight.fleet.command_result import (
    UNFINISHED_STATUSES,
    Conclusion,
    Verb,
)
from pilotlight.fleet.group import Member
from pilotlight.fleet.lifecycle_action import DRAIN_HOOK, EC2, GROUP, READY_HOOK, WARM_POOL
from pilotlight.fleet.states import is_waiting

_INSTANCE_ID = re.compile(r"\bi-[0-9a-f]{8,17}\b")
# A wake is answered within seconds of its event, and a job waits for it.
WAKE_DUE = timedelta(seconds=30)
# Lifecycle events were seen to arrive after two minutes; acting earlier would only double commands.
EVENT_DUE = timedelta(seconds=120)
# How old an answer may be when nothing says when the wait began.
FRESH = timedelta(seconds=300)
# Commands that got no answer before an instance is given up.
MAX_UNANSWERED = 2


@dataclass(frozen=True, slots=True)
class Activity:
    """One scaling activity; its description ends in the instance's id.

    Texts: `Launching a new EC2 instance: i-...`, `... into warm pool: i-...`, `... from warm pool:
    i-...`, `Terminating EC2 instance: i-...` (AWS samples, features/warm-pools).
    """

    description: str
    status: str
    status_message: str
    started_at: datetime

    @property
    def is_over(self) -> bool:
        return self.status in ("Successful", "Failed", "Cancelled")

    @property
    def instance_id(self) -> str:
        """Empty when the description names none."""
        found = _INSTANCE_ID.search(self.description)
        return found.group() if found else ""


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


@dataclass(frozen=True, slots=True)
class Wait:
    """`began_at` is when its activity started, a little before the hook; None without one."""

    instance_id: str
    state: str
    hook: str
    origin: str
    destination: str
    began_at: datetime | None

    @property
    def has_command(self) -> bool:
        """Whether something must be asked on the instance; the pool's own moves need nothing."""
        return self.origin != WARM_POOL

    def due_at(self, now: datetime) -> datetime:
        """Without a beginning it is due now: what it leads to is safe to do early."""
        if self.began_at is None:
            return now
        return self.began_at + (EVENT_DUE if self.has_command else WAKE_DUE)


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


def find_waits(members: Iterable[Member], activities: Iterable[Activity]) -> list[Wait]:
    """The held instances, oldest first."""
    latest: dict[str, Activity] = {}
    for activity in sorted(activities, key=lambda activity: activity.started_at):
        if not activity.is_over:
            latest[activity.instance_id] = activity
    waits = [
        _wait_of(member, latest.get(member.instance_id))
        for member in members
        if is_waiting(member.lifecycle_state)
    ]
    return sorted(waits, key=lambda wait: wait.began_at.timestamp() if wait.began_at else 0.0)


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


def decide_wait(wait: Wait, asked: list[SentCommand]) -> WaitDecision:
    """For a wait that is due; `asked` as `commands_of` returns it."""
    if not wait.has_command:
        return WaitDecision(Move.CONTINUE, "EVENT_LOST")
    if not asked:
        return WaitDecision(Move.SEND, "NO_COMMAND_SENT")
    newest = asked[-1]
    if not newest.is_finished:
        return WaitDecision(Move.HEARTBEAT, "COMMAND_RUNS", newest.command_id)
    return WaitDecision(Move.READ_RESULT, "RESULT_LOST", newest.command_id)


def decide_unanswered(asked: list[SentCommand]) -> WaitDecision:
    """When the newest command got no answer from the instance."""
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


def _wait_of(member: Member, activity: Activity | None) -> Wait:
    hook, origin, destination = _transition(member.lifecycle_state, activity)
    return Wait(
        instance_id=member.instance_id,
        state=member.lifecycle_state,
        hook=hook,
        origin=origin,
        destination=destination,
        began_at=activity.started_at if activity else None,
    )


def _transition(state: str, activity: Activity | None) -> tuple[str, str, str]:
    """(hook, origin, destination).

    `Warmed:Pending:Wait` is both an entry and a return: a launch always has its open activity (live
    recordings show it), so without one it is a return. A `Pending:Wait` that no activity explains
    is treated as a cold launch, which proves it once more and is merely slower.
    """
    description = activity.description if activity else ""
    if state == "Pending:Wait":
        from_pool = "from warm pool" in description
        return READY_HOOK, WARM_POOL if from_pool else EC2, GROUP
    if state == "Warmed:Terminating:Wait":
        return DRAIN_HOOK, WARM_POOL, EC2
    if state == "Warmed:Pending:Wait":
        if description.startswith("Launching"):
            return READY_HOOK, EC2, WARM_POOL
        return DRAIN_HOOK, GROUP, WARM_POOL
    return DRAIN_HOOK, GROUP, EC2


def _belongs(command: SentCommand, wait: Wait, document: str) -> bool:
    is_recent = wait.began_at is None or command.requested_at >= wait.began_at
    return command.document == document and is_recent
