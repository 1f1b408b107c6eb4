"""What the dead-letter queue says of a job that was given up."""

from dataclasses import dataclass

from pilotlight.jobs.attempts import Tally

MAX_REASON_CHARACTERS = 1_000


@dataclass(frozen=True)
class DeadLetter:
    """The message's own body, and beside it who, why and where the log is.

    `job_id` is the message id of a message that cannot be read; it is the key in the jobs table.
    """

    body: str
    job_id: str
    reason: str
    tally: Tally
    log_group: str
    log_stream: str

    def attributes(self) -> dict[str, str | int]:
        """SQS message attributes by name; a text is never empty and has printable characters."""
        said: dict[str, str | int] = {
            "job_id": self.job_id,
            "reason": _printable(self.reason)[:MAX_REASON_CHARACTERS],
            "failures": self.tally.failures,
            "interruptions": self.tally.interruptions,
            "log_group": self.log_group,
            "log_stream": self.log_stream,
        }
        return {name: value for name, value in said.items() if value != ""}


def _printable(text: str) -> str:
    """SQS refuses control characters in an attribute (SendMessage, StringValue)."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
