"""Reconcile's care for instances that wait beyond their due: whatever an event did not bring."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from pilotlight.errors import InstanceUnknownError, NotRegisteredError, TransientError
from pilotlight.fleet.command_result import Conclusion, Verb, conclude
from pilotlight.fleet.commands import CommandBook, CommandSender, InvocationReader
from pilotlight.fleet.completion import (
    InstanceHealth,
    LifecycleActions,
    ProofTags,
    complete,
    heartbeat,
    settle,
)
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.machines import NOT_RUNNING, Machines, has_nothing_to_drain
from pilotlight.fleet.outcome import Outcome, Result
from pilotlight.fleet.ticket import Ticket
from pilotlight.fleet.turns import MAX_WAITS_PER_PASS, in_turns
from pilotlight.fleet.wait_decisions import (
    Move,
    SentCommand,
    WaitDecision,
    commands_of,
    decide_unanswered,
    decide_unregistered,
    decide_wait,
    give_up,
    is_on_its_way,
)
from pilotlight.fleet.waits import Wait

# Instances that SendCommand takes, and that DescribeAutoScalingInstances does (botocore).
PER_CALL = 50


class CommandHistory(CommandSender, InvocationReader, Protocol):
    def sent_to(self, instance_id: str) -> list[SentCommand]:
        """ListCommandInvocations, newest page."""
        ...


class WaitActions(LifecycleActions, Protocol):
    def lifecycle_states(self, instance_ids: Sequence[str]) -> Mapping[str, str]:
        """DescribeAutoScalingInstances, of 50 at most; one that no group has is missing."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """A wait for which a command is to be sent, and why."""

    wait: Wait
    reason: str


@dataclass(frozen=True, slots=True)
class WaitCare:
    """The ports and limits that settling a wait needs."""

    actions: WaitActions
    health: InstanceHealth
    tags: ProofTags
    commands: CommandHistory
    machines: Machines
    book: CommandBook

    def settle_all(self, waits: Iterable[Wait], now: datetime) -> Iterator[tuple[Wait, Outcome]]:
        """Those that are due, in turns. What is not ready for one does not keep the others.

        Commands are sent last, one for all that wait at the same stage.
        """
        questions: list[Question] = []
        due = in_turns((wait for wait in waits if wait.due_at(now) <= now), now)
        for wait in islice(self._still_waiting(due), MAX_WAITS_PER_PASS):
            try:
                outcome = self._settle(wait, now)
            except TransientError as error:
                outcome = _deferred(error)
            if isinstance(outcome, Question):
                questions.append(outcome)
            else:
                yield wait, outcome
        for some in _at_the_same_stage(questions):
            yield from self._ask(some, now)

    def _still_waiting(self, due: list[Wait]) -> Iterator[Wait]:
        """Looked at again: while thousands wake, most went on while their activities were read."""
        for start in range(0, len(due), PER_CALL):
            some = due[start : start + PER_CALL]
            states = self.actions.lifecycle_states([wait.instance_id for wait in some])
            yield from (wait for wait in some if states.get(wait.instance_id) == wait.state)

    def _settle(self, wait: Wait, now: datetime) -> Outcome | Question:
        asked = self._asked(wait, now)
        decision = decide_wait(wait, asked, self.book.longest(wait.hook), now)
        if decision.move is Move.READ_RESULT:
            invocation = self.commands.invocation(decision.command_id, wait.instance_id)
            if is_on_its_way(invocation, now):
                return Outcome(Result.LEFT, "RESULT_ON_ITS_WAY")
            conclusion = conclude(_ticket(wait), invocation)
            if conclusion.verb is not Verb.ASK_AGAIN:
                return self._conclude(wait, conclusion)
            decision = decide_unanswered(asked)
        if decision.move is Move.SEND:
            return self._question(wait, decision.reason)
        return self._do(wait, decision)

    def _question(self, wait: Wait, reason: str) -> Outcome | Question:
        if has_nothing_to_drain(_pause(wait), self.machines):
            return self._conclude(wait, give_up(wait, NOT_RUNNING))
        return Question(wait, reason)

    def _asked(self, wait: Wait, now: datetime) -> list[SentCommand]:
        if not wait.has_command:
            return []
        document = self.book.document_of(wait.hook)
        return commands_of(wait, self.commands.sent_to(wait.instance_id), document, now)

    def _do(self, wait: Wait, decision: WaitDecision) -> Outcome:
        if decision.move is Move.GIVE_UP:
            return self._conclude(wait, give_up(wait, decision.reason))
        if decision.move is Move.LEAVE or not self._still_waits(wait):
            return Outcome(Result.LEFT, decision.reason)
        if decision.move is Move.CONTINUE:
            return complete(self.actions, _pause(wait), Result.CONTINUED, decision.reason)
        over = heartbeat(self.actions, _pause(wait))
        return over or Outcome(Result.HEARTBEAT, decision.reason, f"command {decision.command_id}")

    def _ask(self, some: Sequence[Question], now: datetime) -> Iterator[tuple[Wait, Outcome]]:
        """One command for all; SSM refuses it for all when it does not know one of them."""
        tickets = [_ticket(question.wait) for question in some]
        try:
            command_id = self.commands.send(self.book.command_for(*tickets))
        except NotRegisteredError:
            if len(some) == 1:
                yield some[0].wait, self._unregistered(some[0].wait, now)
            else:
                for question in some:
                    yield from self._ask([question], now)
        except TransientError as error:
            yield from ((question.wait, _deferred(error)) for question in some)
        else:
            for question in some:
                sent = Outcome(Result.COMMAND_SENT, question.reason, f"command {command_id}")
                yield question.wait, sent

    def _unregistered(self, wait: Wait, now: datetime) -> Outcome:
        setup_timeout = timedelta(seconds=self.book.setup_timeout_seconds)
        try:
            return self._do(wait, decide_unregistered(wait, setup_timeout, now))
        except TransientError as error:
            return _deferred(error)

    def _conclude(self, wait: Wait, conclusion: Conclusion) -> Outcome:
        if not self._still_waits(wait):
            return Outcome(Result.LEFT, "MOVED_ON")
        try:
            return self._carry_out(wait, conclusion)
        except InstanceUnknownError:  # no new one is due yet, so it is gone, proof or not
            return self._carry_out(wait, give_up(wait, "INSTANCE_GONE"))

    def _carry_out(self, wait: Wait, conclusion: Conclusion) -> Outcome:
        return settle(conclusion, _pause(wait), self.actions, self.health, self.tags)

    def _still_waits(self, wait: Wait) -> bool:
        """Looked at again right before acting: without a token, any open action would be met."""
        return self.actions.lifecycle_state(wait.instance_id) == wait.state


def _pause(wait: Wait) -> Pause:
    return Pause(wait.instance_id, wait.hook, token=None)


def _ticket(wait: Wait) -> Ticket:
    return Ticket(_pause(wait), wait.destination)


def _at_the_same_stage(questions: Iterable[Question]) -> Iterator[list[Question]]:
    """Each is one command: same document, same comment, as many instances as a call takes."""
    stages: dict[tuple[str, str], list[Question]] = {}
    for question in questions:
        stages.setdefault((question.wait.hook, question.wait.destination), []).append(question)
    for stage in stages.values():
        for start in range(0, len(stage), PER_CALL):
            yield stage[start : start + PER_CALL]


def _deferred(error: TransientError) -> Outcome:
    return Outcome(Result.DEFERRED, error.reason, str(error))
