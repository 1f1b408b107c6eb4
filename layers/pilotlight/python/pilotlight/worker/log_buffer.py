"""Log lines between those who write them and the one call that ships many of them."""

import threading
from collections import deque
from typing import NamedTuple

# PutLogEvents: a batch has at most 1,048,576 bytes, counting UTF-8 and 26 for each event, at most
# 10,000 events, and spans at most 24 hours (CloudWatch Logs API reference).
MAX_BATCH_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
MAX_BATCH_LINES = 10_000
MAX_BATCH_SPAN_SECONDS = 86_400
# What is kept while CloudWatch does not answer: an hour of a busy worker, a second of a raving job.
MAX_BUFFER_BYTES = 4 * MAX_BATCH_BYTES


class Line(NamedTuple):
    """`at` is in epoch seconds."""

    at: float
    text: str

    @property
    def bytes(self) -> int:
        """As PutLogEvents counts; the text is JSON in ASCII."""
        return len(self.text) + EVENT_OVERHEAD_BYTES


class LogBuffer:
    """Bounded: when it is full the oldest lines go, and are counted. For any thread."""

    def __init__(self, max_bytes: int = MAX_BUFFER_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self._dropped = 0
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: Line) -> None:
        with self._lock:
            if line.bytes > MAX_BATCH_BYTES:
                self._dropped += 1
                return
            self._lines.append(line)
            self._bytes += line.bytes
            while self._bytes > self._max_bytes:
                self._bytes -= self._lines.popleft().bytes
                self._dropped += 1

    def take_batch(self) -> list[Line]:
        """Take out the oldest lines, as many as one call may carry, in order of time."""
        batch: list[Line] = []
        left = MAX_BATCH_BYTES
        with self._lock:
            while self._lines and self._fits(batch, left):
                line = self._lines.popleft()
                batch.append(line)
                left -= line.bytes
                self._bytes -= line.bytes
        return sorted(batch, key=lambda line: line.at)

    def take_dropped(self) -> int:
        """How many lines were dropped since the last call."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _fits(self, batch: list[Line], left: int) -> bool:
        line = self._lines[0]
        spans = abs(line.at - batch[0].at) if batch else 0.0
        return (
            line.bytes <= left
            and len(batch) < MAX_BATCH_LINES
            and spans < MAX_BATCH_SPAN_SECONDS / 2
        )
