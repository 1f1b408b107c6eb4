"""What the end of a command means for the lifecycle action that it belongs to.

Statuses: botocore, GetCommandInvocation; AWS Systems Manager user guide, monitor-commands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pilotlight.errors import MalformedEventError, VerdictError
from pilotlight.fleet.lifecycle_action import DRAIN_HOOK, EC2, READY_HOOK, parse_time
from pilotlight.fleet.ticket import Ticket
from pilotlight.fleet.verdict import parse_drain_verdict, parse_readiness_verdict

UNFINISHED_STATUSES = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
# The command ran on the instance to its end, or to its own time limit. Every other
# ending (DeliveryTimedOut, Undeliverable, Terminated, Cancelled, ...) says that no answer came
# back: nothing is known of the instance.
_ANSWERED = frozenset({"Success", "Failed", "ExecutionTimedOut"})


@dataclass(frozen=True, slots=True)
class CommandEvent:
    """EventBridge's `EC2 Command Invocation Status-change Notification`."""

    command_id: str
    instance_id: str
    status: str
    requested_at: datetime

    def log_fields(self, now: datetime) -> dict[str, Any]:
        return {
            "instance_id": self.instance_id,
            "command_id": self.command_id,
            "status": self.status,
            "seconds_waited": round((now - self.requested_at).total_seconds(), 3),
        }


@dataclass(frozen=True, slots=True)
class Invocation:
    """One command on one instance, as GetCommandInvocation returns it.

    `ended_at` is None for a command that never ran.
    """

    status: str
    status_details: str
    comment: str
    output: str
    error_output: str = ""
    ended_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED_STATUSES


class Verb(StrEnum):
    """What to do with the instance that waits."""

    CONTINUE = "CONTINUE"
    ABANDON = "ABANDON"
    # ABANDON would send it back to the pool to be reused; Unhealthy, then CONTINUE, replaces it.
    EVICT = "EVICT"
    ASK_AGAIN = "ASK_AGAIN"


@dataclass(frozen=True, slots=True)
class Conclusion:
    verb: Verb
    reason: str
    detail: str = ""
    proof_tags: Mapping[str, str] = field(default_factory=dict)


def parse_command_event(body: object) -> CommandEvent:
    """From the decoded body of an SQS message; raises MalformedEventError naming the field."""
    detail = body.get("detail") if isinstance(body, Mapping) else None
    if not isinstance(detail, Mapping):
        raise MalformedEventError("the body has no `detail` object")
    return CommandEvent(
        command_id=_field(detail, "command-id", r"[0-9a-fA-F-]{36}"),
        instance_id=_field(detail, "instance-id", r"m?i-[0-9a-f]{8,17}"),
        status=_field(detail, "status", r"[A-Za-z ]{1,40}"),
        requested_at=parse_time(detail.get("requested-date-time")),
    )


def conclude(ticket: Ticket, invocation: Invocation) -> Conclusion:
    """The rule of the hook that the command answers; the invocation is a finished one."""
    if ticket.pause.hook == READY_HOOK:
        return _conclude_readiness(invocation)
    if ticket.pause.hook == DRAIN_HOOK:
        return _conclude_drain(invocation, ticket.destination)
    raise ValueError(f"{ticket.pause.hook!r} is no hook of ours: {READY_HOOK} or {DRAIN_HOOK}")


def _conclude_readiness(invocation: Invocation) -> Conclusion:
    """Only a proven instance passes; only a known failure abandons."""
    if invocation.status_details not in _ANSWERED:
        return Conclusion(Verb.ASK_AGAIN, "NO_ANSWER", invocation.status_details)
    if invocation.status_details == "ExecutionTimedOut":
        return Conclusion(Verb.ABANDON, "SETUP_TIMED_OUT", invocation.output)
    try:
        verdict = parse_readiness_verdict(invocation.output)
    except VerdictError as error:
        return Conclusion(Verb.ABANDON, "VERDICT_UNREADABLE", _explain(error, invocation))
    if not verdict.ready:
        return Conclusion(Verb.ABANDON, "CHECKS_FAILED", "; ".join(verdict.failed_checks))
    if invocation.status != "Success":
        return Conclusion(Verb.ABANDON, "COMMAND_FAILED", invocation.output)
    return Conclusion(Verb.CONTINUE, "CHECKS_PASSED", proof_tags=verdict.proof_tags)


def _conclude_drain(invocation: Invocation, destination: str) -> Conclusion:
    """An instance on its way to EC2 goes whatever comes of it; the pool takes only drained ones.

    No answer counts as not drained: an instance whose agent is silent is not worth keeping.
    """
    reason, detail = _drain_failure(invocation)
    if not reason:
        return Conclusion(Verb.CONTINUE, "DRAINED", detail)
    return Conclusion(Verb.CONTINUE if destination == EC2 else Verb.EVICT, reason, detail)


def _drain_failure(invocation: Invocation) -> tuple[str, str]:
    """(reason, detail); the reason is empty when the instance is drained."""
    if invocation.status_details not in _ANSWERED:
        return "NO_ANSWER", invocation.status_details
    if invocation.status_details == "ExecutionTimedOut":
        return "DRAIN_TIMED_OUT", invocation.output
    try:
        verdict = parse_drain_verdict(invocation.output)
    except VerdictError as error:
        return "VERDICT_UNREADABLE", _explain(error, invocation)
    passed = verdict.drained and invocation.status == "Success"
    return ("" if passed else "NOT_DRAINED"), verdict.detail


def _explain(error: VerdictError, invocation: Invocation) -> str:
    errors = invocation.error_output.strip()
    return f"{error}; stderr: {errors}" if errors else str(error)


def _field(detail: Mapping[str, object], key: str, pattern: str) -> str:
    value = detail.get(key)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise MalformedEventError(f"{key} is {str(value)[:100]!r}: expected {pattern}")
    return value
