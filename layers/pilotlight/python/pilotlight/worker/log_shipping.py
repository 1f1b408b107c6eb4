"""Ships the worker's log to CloudWatch Logs, behind the back of the jobs.

A worker that has nothing to say makes no call. What a job said is there a moment after it ended.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from pilotlight.errors import LogsRefusedError, LogsUnreachableError
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.log_buffer import Line, LogBuffer

GATHER_SECONDS = 2.0
# Between two calls, however much there is: no more than 1 MiB a second is shipped, and paid for.
PAUSE_SECONDS = 1.0
MAX_RETRY_SECONDS = 30.0
CLOSING_RETRY_SECONDS = 0.5
# Somebody may be waiting for these, or the worker is about to end.
URGENT_EVENTS = frozenset(
    {
        "first_receive",
        "job_succeeded",
        "job_failed",
        "job_interrupted",
        "job_dead_lettered",
        "drained",
        "self_check_failed",
        "reported_unhealthy",
        "worker_failed",
    }
)


class LogStream(Protocol):
    def put(self, lines: Sequence[tuple[float, str]]) -> int:
        """Moments and texts, in order of time; returns how many of them were left out.

        Raises LogsUnreachableError when another try may help, LogsRefusedError when none will.
        """
        ...


def log_stream_name(instance_id: str, worker_started_at: float) -> str:
    """Every start of a worker writes a stream of its own; the time is UTC."""
    moment = datetime.fromtimestamp(worker_started_at, UTC)
    return f"{instance_id}/{moment:%Y%m%dT%H%M%SZ}"


class LogShipper:
    """Takes lines from its making on, and ships them from `start` until `close`."""

    def __init__(self, buffer: LogBuffer, clock: Callable[[], float] = time.monotonic) -> None:
        self._buffer = buffer
        self._clock = clock
        self._changed = threading.Condition()
        self._due_at = float("inf")
        self._closing = threading.Event()
        self._close_at = float("inf")
        self._thread: threading.Thread | None = None

    def take(self, event: str, at: float, line: str) -> None:
        self._buffer.add(Line(at, line))
        due_at = self._clock() + (0.0 if event in URGENT_EVENTS else GATHER_SECONDS)
        with self._changed:
            if due_at < self._due_at:
                self._due_at = due_at
                self._changed.notify()

    def start(self, stream: LogStream, log: EventLog) -> None:
        """`log` hears what could not be shipped; it may be the one whose lines are shipped."""
        self._thread = threading.Thread(
            target=self._ship, args=(stream, log), name="log shipping", daemon=True
        )
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Ship what is left; what that takes longer than `seconds` for is lost."""
        self._close_at = self._clock() + seconds
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _ship(self, stream: LogStream, log: EventLog) -> None:
        while not self._closing.is_set() or self._buffer:
            self._wait_until_due()
            while batch := self._buffer.take_batch():
                lost = self._put(batch, stream, log) + self._buffer.take_dropped()
                if self._clock() >= self._close_at:
                    return
                if lost:
                    log("log_lines_dropped", lines=lost)
                self._closing.wait(PAUSE_SECONDS)

    def _wait_until_due(self) -> None:
        with self._changed:
            while (left := self._due_at - self._clock()) > 0 and not self._closing.is_set():
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            self._due_at = float("inf")

    def _put(self, batch: Sequence[Line], stream: LogStream, log: EventLog) -> int:
        """Try until it is done, while the buffer fills; returns how many lines were lost."""
        failures = 0
        while self._clock() < self._close_at:
            try:
                return stream.put(batch)
            except LogsRefusedError as error:
                log("log_refused", error=str(error))
                break
            except LogsUnreachableError as error:
                failures += 1
                if failures == 1:
                    log("log_not_shipped", error=str(error))
            self._pause(min(2.0 ** min(failures, 10), MAX_RETRY_SECONDS))
        return len(batch)

    def _pause(self, seconds: float) -> None:
        """Until the next try: soon once the worker is closing, for then there is little time."""
        if self._closing.wait(seconds):
            time.sleep(CLOSING_RETRY_SECONDS)
