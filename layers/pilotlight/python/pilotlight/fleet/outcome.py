"""What was done about one instance and why: one log line, one metric."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# A command's output has up to 24,000; a log line stays readable.
DETAIL_CHARACTERS = 1_000


class Result(StrEnum):
    """The closed set of things that can be done; each is counted as a metric of this name."""

    CONTINUED = "Continued"
    ABANDONED = "Abandoned"
    EVICTED = "Evicted"
    COMMAND_SENT = "CommandSent"
    HEARTBEAT = "Heartbeat"
    ALREADY_DONE = "AlreadyDone"
    LEFT = "Left"
    DEFERRED = "Deferred"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is a member of one of the closed sets of reasons, as text."""

    result: Result
    reason: str
    detail: str = ""

    @property
    def cost_an_instance(self) -> bool:
        return self.result in (Result.ABANDONED, Result.EVICTED)

    def log_fields(self) -> dict[str, Any]:
        fields = {"result": self.result.value, "reason": self.reason}
        return fields | ({"detail": end_of(self.detail)} if self.detail else {})


def end_of(text: str) -> str:
    """The last characters of a text from outside: errors stand at the end of an output."""
    return text[-DETAIL_CHARACTERS:]
