"""Giving a job up: by ourselves with a reason, or not at all where there is no queue for it."""

from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs import records
from pilotlight.jobs.attempts import (
    MAX_RETRY_DELAY_SECONDS,
    Limits,
    ReceivedMessage,
    Tally,
    reason_to_give_up,
)
from pilotlight.jobs.dead_letter import DeadLetter
from pilotlight.jobs.records import Attributes
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.lease import Lease


class DeadLetterQueue(Protocol):
    def send(self, letter: DeadLetter) -> None: ...


class JobsQueue(Protocol):
    def delete(self, message: ReceivedMessage) -> None:
        """Never raises; a message whose delete fails comes again."""
        ...


class DeadLettering:
    """After the table says so: into the dead-letter queue, then out of the jobs queue.

    When it breaks off in between, the message comes again and all of it is done again: twice in
    the dead-letter queue is harmless, for a replay goes by job id.
    """

    def __init__(
        self, limits: Limits, dead_letters: DeadLetterQueue, queue: JobsQueue, log: EventLog
    ) -> None:
        self._limits = limits
        self._dead_letters = dead_letters
        self._queue = queue
        self._log = log

    def reason(self, tally: Tally, deliveries: int) -> str | None:
        return reason_to_give_up(tally, deliveries, self._limits)

    def record(self, now: float) -> Attributes:
        """What the table says of a job that is given up, beside how its attempt ended."""
        return records.dead_lettered(now)

    def carry_out(self, message: ReceivedMessage, lease: Lease, letter: DeadLetter) -> bool:
        """False when it could not be sent; then the message comes again."""
        named = {"job_id": letter.job_id, "message_id": message.message_id}
        try:
            self._dead_letters.send(letter)
        except AWS_CALL_ERRORS as error:
            self._log("dead_letter_not_sent", **named, error=str(error))
            lease.hand_back(MAX_RETRY_DELAY_SECONDS)
            return False
        self._log("job_dead_lettered", **named, reason=letter.reason, **vars(letter.tally))
        self._queue.delete(message)
        return True


class LeftToRedrive:
    """Of a queue that is not ours: its own redrive policy counts receives, and gives up."""

    def reason(self, tally: Tally, deliveries: int) -> str | None:  # noqa: ARG002
        return None

    def record(self, now: float) -> Attributes:  # noqa: ARG002
        return {}

    def carry_out(
        self,
        message: ReceivedMessage,  # noqa: ARG002
        lease: Lease,
        letter: DeadLetter,  # noqa: ARG002
    ) -> bool:
        lease.hand_back(MAX_RETRY_DELAY_SECONDS)
        return False
