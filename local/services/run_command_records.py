"""What Run Command knows of a command: its invocations, their steps, and how statuses add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.services.ssm_documents import Step

NOT_STARTED = -1  # ResponseCode of a plugin which has not run (SSM model, GetCommandInvocation)
_STATUS_OF_DETAILS = {
    "DeliveryTimedOut": "TimedOut",
    "ExecutionTimedOut": "TimedOut",
    "Terminated": "Cancelled",
    "Incomplete": "Failed",
    "NoInstancesInTag": "Success",
}
_TERMINAL = frozenset({"Success", "Failed", "TimedOut", "Cancelled"})
_ERRORS = frozenset({"Failed", "ExecutionTimedOut"})


def status_of(details: str) -> str:
    """The coarse status that goes with a StatusDetails value."""
    return _STATUS_OF_DETAILS.get(details, details)


@dataclass(slots=True)
class StepResult:
    """One plugin of an invocation. Times are epoch seconds; texts are what the script wrote."""

    step: Step
    details: str = "Pending"
    response_code: int = NOT_STARTED
    started_at: float | None = None
    finished_at: float | None = None
    stdout: str = ""
    stderr: str = ""

    @property
    def ends_document(self) -> bool:
        """Whether the steps after it are left out (inputs onSuccess and onFailure)."""
        if self.details == "Success":
            return self.step.exits_on_success
        return self.step.on_failure is not None


@dataclass(slots=True, eq=False)
class Invocation:
    """A command on one instance. `propagated`: whether reads find it already."""

    instance_id: str
    results: list[StepResult]
    details: str = "Pending"
    propagated: bool = False
    delivered: bool = False

    @property
    def status(self) -> str:
        return status_of(self.details)

    @property
    def is_over(self) -> bool:
        return self.status in _TERMINAL

    @property
    def is_error(self) -> bool:
        """Whether it counts against MaxErrors; a delivery timeout does not (user guide,
        "Understanding command statuses")."""
        return self.details in _ERRORS


@dataclass(slots=True)
class Command:
    """One SendCommand. `request` is what the caller sent; counts come from `invocations`."""

    command_id: str
    document_name: str
    document_version: str
    comment: str
    parameters: Mapping[str, Sequence[str]]
    request: Mapping[str, Any]
    requested_at: float
    delivery_seconds: float
    execution_seconds: float
    max_concurrency: int
    max_errors: int
    invocations: dict[str, Invocation]
    details: str = "Pending"
    is_cancelling: bool = False
    waiting: list[Invocation] = field(default_factory=list)

    @property
    def status(self) -> str:
        return status_of(self.details)

    @property
    def expires_at(self) -> float:
        """When AWS gives up on replies: TimeoutSeconds plus the document's own timeouts."""
        return self.requested_at + self.delivery_seconds + self.execution_seconds

    @property
    def error_count(self) -> int:
        return sum(i.is_error for i in self.invocations.values())


def answer(results: Sequence[StepResult]) -> str:
    """StatusDetails of an invocation whose steps have run: the first failure that counts."""
    for result in results:
        if result.details in _ERRORS and result.step.on_failure != "successAndExit":
            return result.details
    return "Success"


def rolled_up(command: Command) -> str:
    """StatusDetails of a command from those of its invocations.

    User guide, "Understanding command statuses"; a command with no target is Success with
    NoInstancesInTag, as recorded on the live service.
    """
    details = [i.details for i in command.invocations.values()]
    if not details:
        return "NoInstancesInTag"
    if all(i.is_over for i in command.invocations.values()):
        return _final(command, details)
    if command.is_cancelling:
        return "Cancelling"
    waits = all(d == "Pending" for d in details)
    return "Pending" if waits else "InProgress"


def _final(command: Command, details: Sequence[str]) -> str:
    if command.error_count > command.max_errors:
        return "Failed"
    if command.is_cancelling:
        return "Cancelled"
    if all(d == "Success" for d in details):
        return "Success"
    if all(d == "DeliveryTimedOut" for d in details):
        return "DeliveryTimedOut"
    return "Incomplete"
