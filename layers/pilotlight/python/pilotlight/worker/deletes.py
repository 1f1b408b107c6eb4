"""Deletes messages ten at a time, behind the back of the jobs."""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.worker.event_log import EventLog

BATCH = 10  # DeleteMessageBatch takes no more (botocore's SQS model)
GATHER_SECONDS = 0.1  # for nobody waits for it, and the visibility timeout is much longer


class DeletingQueue(Protocol):
    def delete_batch(self, messages: Sequence[ReceivedMessage]) -> Mapping[str, str]:
        """Up to ten; returns why, by message id, those were not deleted that were not."""
        ...


class Deletes:
    """A message whose delete fails comes again, and is acknowledged as a duplicate."""

    def __init__(
        self,
        messages: DeletingQueue,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._messages = messages
        self._log = log
        self._clock = clock
        self._waiting: queue.SimpleQueue[ReceivedMessage] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._unfinished = 0
        self._thread: threading.Thread | None = None

    @property
    def unfinished(self) -> int:
        return self._unfinished

    def delete(self, message: ReceivedMessage) -> None:
        """Soon; never raises for what SQS does."""
        with self._lock:
            self._unfinished += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="deletes", daemon=True)
                self._thread.start()
        self._waiting.put(message)

    def _serve(self) -> None:
        while True:
            batch = self._gather()
            for message_id, error in self._delete(batch).items():
                self._log("message_not_deleted", message_id=message_id, error=error)
            with self._lock:
                self._unfinished -= len(batch)

    def _delete(self, batch: Sequence[ReceivedMessage]) -> Mapping[str, str]:
        try:
            return self._messages.delete_batch(batch)
        except AWS_CALL_ERRORS as error:
            return {message.message_id: str(error) for message in batch}

    def _gather(self) -> list[ReceivedMessage]:
        batch = [self._waiting.get()]
        until = self._clock() + GATHER_SECONDS
        while len(batch) < BATCH:
            try:
                batch.append(self._waiting.get(timeout=max(0.0, until - self._clock())))
            except queue.Empty:
                break
        return batch
