"""One receive at a time, in a thread: a long poll must not keep the worker from looking around."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from pilotlight.jobs.attempts import ReceivedMessage

# An open receive has to return before the worker may drop protection or say it is drained, so
# it is short; and long enough that an idle worker costs about half a dollar of requests a month.
WAIT_SECONDS = 2


class ReceivingQueue(Protocol):
    def receive(self, at_most: int, wait_seconds: int) -> list[ReceivedMessage]: ...


class Receiver:
    def __init__(self, queue: ReceivingQueue, wake: Callable[[], None]) -> None:
        self._queue = queue
        self._wake = wake
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="receive")
        self._open: Future[list[ReceivedMessage]] | None = None

    @property
    def open(self) -> bool:
        """Until `take` has had the outcome, messages may be on their way."""
        return self._open is not None

    def begin(self, at_most: int) -> None:
        self._open = self._executor.submit(self._queue.receive, at_most, WAIT_SECONDS)
        self._open.add_done_callback(lambda _: self._wake())

    def take(self) -> list[ReceivedMessage] | None:
        """What the receive brought, once; None while there is no outcome. Raises what it raised."""
        if self._open is None or not self._open.done():
            return None
        outcome, self._open = self._open, None
        return outcome.result()

    def close(self) -> None:
        self._executor.shutdown()
