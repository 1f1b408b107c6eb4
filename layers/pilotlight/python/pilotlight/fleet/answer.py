"""The two ends of a lifecycle action: its event, and the end of the command that it started."""

from pilotlight.errors import CommandUnfinishedError
from pilotlight.fleet.command_result import (
    UNFINISHED_STATUSES,
    CommandEvent,
    Verb,
    conclude,
)
from pilotlight.fleet.commands import CommandBook, CommandSender, InvocationReader
from pilotlight.fleet.completion import (
    InstanceHealth,
    LifecycleActions,
    ProofTags,
    complete,
    heartbeat,
    settle,
)
from pilotlight.fleet.lifecycle_action import (
    DRAIN_HOOK,
    EC2,
    READY_HOOK,
    LifecycleAction,
    Step,
    decide,
)
from pilotlight.fleet.machines import NOT_RUNNING, Machines, has_nothing_to_drain
from pilotlight.fleet.outcome import Outcome, Result
from pilotlight.fleet.ticket import Ticket, read_comment


def answer_lifecycle_action(
    action: LifecycleAction,
    actions: LifecycleActions,
    commands: CommandSender,
    machines: Machines,
    book: CommandBook,
) -> Outcome:
    """Completes the action, starts its command, or leaves it.

    Calls: one to complete; two to start a command, three for a drain. Delivered twice, it starts
    the command twice: both are harmless, and the token lets only the first result complete the
    action.

    Raises TransientError (NotRegisteredError among them): deliver the event again later; the
    heartbeat that keeps the instance waiting has been recorded by then.
    """
    plan = decide(action)
    if plan.step is Step.LEAVE:
        return Outcome(Result.LEFT, plan.reason)
    if plan.step is Step.CONTINUE:
        return complete(actions, action.pause, Result.CONTINUED, plan.reason)
    over = heartbeat(actions, action.pause)
    if over:
        return over
    ticket = Ticket(action.pause, str(action.destination))
    if ticket.destination == EC2 and has_nothing_to_drain(ticket.pause, machines):
        return complete(actions, action.pause, Result.CONTINUED, NOT_RUNNING)
    command_id = commands.send(book.command_for(ticket))
    return Outcome(Result.COMMAND_SENT, plan.reason, f"command {command_id}")


def answer_command(
    event: CommandEvent,
    invocations: InvocationReader,
    actions: LifecycleActions,
    health: InstanceHealth,
    tags: ProofTags,
) -> tuple[Ticket | None, Outcome]:
    """Completes the lifecycle action that the command was sent for.

    A command of reconcile (no token) and one without an answer are left to reconcile, which reads
    the state before it acts and knows how often it has asked. Calls: one to read the invocation,
    two or three to complete. Raises TransientError: deliver the event again later.
    """
    if event.status in UNFINISHED_STATUSES:
        return None, Outcome(Result.LEFT, "UNFINISHED")
    invocation = invocations.invocation(event.command_id, event.instance_id)
    ticket = read_comment(invocation.comment, event.instance_id)
    if ticket is None or ticket.pause.hook not in (READY_HOOK, DRAIN_HOOK):
        return None, Outcome(Result.LEFT, "COMMAND_OF_OTHERS")
    if ticket.pause.token is None:
        return ticket, Outcome(Result.LEFT, "COMMAND_OF_RECONCILE")
    if not invocation.is_finished:
        raise CommandUnfinishedError(f"{event.command_id} is {invocation.status}")
    conclusion = conclude(ticket, invocation)
    if conclusion.verb is Verb.ASK_AGAIN:
        return ticket, Outcome(Result.LEFT, conclusion.reason, conclusion.detail)
    return ticket, settle(conclusion, ticket.pause, actions, health, tags)
