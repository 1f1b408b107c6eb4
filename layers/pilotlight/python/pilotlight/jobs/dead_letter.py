"""What the dead-letter queue says of a job that was given up."""

from dataclasses import dataclass

from pilotlight.jobs.attempts import Tally

MAX_REASON_CHARACTERS = 1_000
# Of body and attributes together, each with its name and type (SQS guide, message metadata).
MAX_MESSAGE_BYTES = 1_048_576
TYPE_BYTES = len("String")  # and of "Number"


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
        """SQS message attributes by name; a text is never empty and has printable characters.

        Beside a body that leaves no room for all of them, the first that fit: a letter that SQS
        refuses would be worse. The jobs table knows the rest.
        """
        room_bytes = MAX_MESSAGE_BYTES - len(self.body.encode("utf-8", "surrogatepass"))
        fitting: dict[str, str | int] = {}
        for name, value in self._all_attributes().items():
            value_bytes = room_bytes - len(name) - TYPE_BYTES
            told = _cut(self.reason, value_bytes) if name == "reason" else value
            told_bytes = len(str(told).encode())
            if told != "" and told_bytes <= value_bytes:
                fitting[name] = told
                room_bytes = value_bytes - told_bytes
        return fitting

    def _all_attributes(self) -> dict[str, str | int]:
        """Those that matter most first."""
        return {
            "job_id": self.job_id,
            "reason": self.reason,
            "failures": self.tally.failures,
            "interruptions": self.tally.interruptions,
            "log_group": self.log_group,
            "log_stream": self.log_stream,
        }


def _cut(reason: str, at_most_bytes: int) -> str:
    shown = _printable(reason)[:MAX_REASON_CHARACTERS].encode()[: max(0, at_most_bytes)]
    return shown.decode("utf-8", "ignore")


def _printable(text: str) -> str:
    """SQS refuses control characters in an attribute (SendMessage, StringValue)."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
