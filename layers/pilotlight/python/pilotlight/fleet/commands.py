"""The two commands that are sent to instances, as SSM documents with their parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pilotlight.fleet.command_result import Invocation
from pilotlight.fleet.lifecycle_action import READY_HOOK
from pilotlight.fleet.ticket import Ticket, write_comment

# An agent that is online takes a command within seconds. SSM accepts commands for stopped
# instances too and would keep them for an hour; this ends that wait.
DELIVERY_TIMEOUT_SECONDS = 120
# What the documents take beyond the time they are given: readiness imports torch from a cold disk,
# drain ends jobs and makes a few calls for each.
CHECK_SECONDS = 300
HAND_BACK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Command:
    """To 50 instances at most.

    `parameters` are the document's, each a list of strings as SSM wants them.
    """

    document: str
    instance_ids: tuple[str, ...]
    comment: str
    parameters: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class CommandBook:
    """The documents' names and limits, from the settings."""

    readiness_document: str
    drain_document: str
    setup_timeout_seconds: int
    drain_seconds: int

    def document_of(self, hook: str) -> str:
        return self.readiness_document if hook == READY_HOOK else self.drain_document

    def longest(self, hook: str) -> timedelta:
        """From sending a command to its answer, if the instance answers at all.

        SSM itself waits for the document's own timeout, which is hours, when an agent is gone in
        the middle of a command (SSM user guide, monitor-commands).
        """
        if hook == READY_HOOK:
            seconds = self.setup_timeout_seconds + CHECK_SECONDS
        else:
            seconds = self.drain_seconds + HAND_BACK_SECONDS
        return timedelta(seconds=DELIVERY_TIMEOUT_SECONDS + seconds)

    def command_for(self, *tickets: Ticket) -> Command:
        """Readiness for the launch hook, drain for the terminate hook.

        Raises ValueError for tickets that differ in more than their instance: a command has one
        comment, so only one without tokens can go to several.
        """
        comment, *others = {write_comment(ticket) for ticket in tickets}
        if others:
            raise ValueError(f"one command cannot carry {comment!r} and {others[0]!r}")
        hook = tickets[0].pause.hook
        seconds = self.setup_timeout_seconds if hook == READY_HOOK else self.drain_seconds
        return Command(
            document=self.document_of(hook),
            instance_ids=tuple(ticket.pause.instance_id for ticket in tickets),
            comment=comment,
            parameters={"timeoutSeconds": [str(seconds)]},
        )


class CommandSender(Protocol):
    """SSM's SendCommand."""

    def send(self, command: Command) -> str:
        """The command id. Raises NotRegisteredError, or TransientError when throttled.

        It goes to all of its instances or to none: one that is not registered is enough.
        """
        ...


class InvocationReader(Protocol):
    """SSM's GetCommandInvocation."""

    def invocation(self, command_id: str, instance_id: str) -> Invocation:
        """Raises InvocationNotFoundError right after the command was sent."""
        ...
