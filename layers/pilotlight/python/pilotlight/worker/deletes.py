"""Deletes messages ten at a time, behind the back of the jobs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.gathering import Batch, Gathering

BATCH = 10  # DeleteMessageBatch takes no more (botocore's SQS model)
GATHER_SECONDS = 0.05  # for nobody waits for it, and the visibility timeout is much longer


class DeletingQueue(Protocol):
    def delete_batch(self, messages: Sequence[ReceivedMessage]) -> Mapping[str, str]:
        """Up to ten; returns why, by message id, those were not deleted that were not."""
        ...


class Deletes:
    """A message whose delete fails comes again, and is acknowledged as a duplicate."""

    def __init__(
        self,
        messages: DeletingQueue,
        do: Callable[[Callable[[], None]], None],
        log: EventLog,
    ) -> None:
        self._messages = messages
        self._do = do
        self._log = log
        self._gathering: Gathering[ReceivedMessage] = Gathering(BATCH, GATHER_SECONDS)

    def delete(self, message: ReceivedMessage) -> None:
        """Soon, as an errand; never raises for what SQS does."""
        batch = self._gathering.join(message)
        if batch is not None:
            self._do(lambda: self._delete(batch))

    def _delete(self, batch: Batch[ReceivedMessage]) -> None:
        messages = self._gathering.complete(batch)
        try:
            refused = self._messages.delete_batch(messages)
        except AWS_CALL_ERRORS as failure:
            refused = {message.message_id: str(failure) for message in messages}
        for message_id, error in refused.items():
            self._log("message_not_deleted", message_id=message_id, error=error)
