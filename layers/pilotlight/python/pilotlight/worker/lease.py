"""Holding on to a message while its job runs: the visibility heartbeat."""

from collections.abc import Callable
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.aws.jobs_queue import LeaseLostError
from pilotlight.jobs.attempts import ReceivedMessage, extension_seconds
from pilotlight.worker.event_log import EventLog

RETRY_SECONDS = 5.0


class VisibilityQueue(Protocol):
    def set_visibility(self, message: ReceivedMessage, seconds: int) -> None:
        """Raises LeaseLostError when the message is not this receiver's any more."""
        ...


class Lease:
    """Extends by the whole timeout each time half of it is over, as the SQS guide advises.

    Losing the lease does not stop the job: whoever finishes first has its result recorded.
    """

    def __init__(
        self,
        queue: VisibilityQueue,
        message: ReceivedMessage,
        visibility_timeout_seconds: int,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._queue = queue
        self._message = message
        self._timeout_seconds = visibility_timeout_seconds
        self._clock = clock
        self._log = log
        self._due_at = message.received_at + visibility_timeout_seconds / 2
        self._held = True

    def keep(self) -> None:
        """Extend when it is due; otherwise nothing."""
        now = self._clock()
        if not self._held or now < self._due_at:
            return
        seconds = extension_seconds(self._message, now, self._timeout_seconds)
        self._due_at = now + self._timeout_seconds / 2
        try:
            self._queue.set_visibility(self._message, seconds)
        except LeaseLostError as error:
            self._held = False
            self._log("lease_lost", message_id=self._message.message_id, detail=str(error))
        except AWS_CALL_ERRORS as error:
            self._due_at = now + RETRY_SECONDS
            self._log("lease_not_extended", message_id=self._message.message_id, error=str(error))

    def hand_back(self, after_seconds: int) -> None:
        """Let the message be received again; should that fail, its own timeout does it later."""
        self._held = False
        try:
            self._queue.set_visibility(self._message, after_seconds)
        except (LeaseLostError, *AWS_CALL_ERRORS) as error:
            self._log("not_handed_back", message_id=self._message.message_id, error=str(error))
