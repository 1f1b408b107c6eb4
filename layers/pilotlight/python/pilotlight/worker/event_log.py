"""One line of JSON for each thing that happened, on standard output (systemd keeps it)."""

import json
import threading
from collections.abc import Callable
from typing import Any, Protocol, TextIO


class LineTaker(Protocol):
    """Gets every line as well; has to return at once, and may be called by any thread."""

    def take(self, event: str, at: float, line: str) -> None: ...


class EventLog:
    """`log("job_started", job_id=...)` writes event, at (epoch seconds) and the fields."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float],
        taker: LineTaker | None = None,
        **always: Any,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._taker = taker
        self._always = always
        self._lock = threading.Lock()

    def __call__(self, event: str, **fields: Any) -> None:
        at = round(self._clock(), 3)
        line = json.dumps({"event": event, "at": at, **self._always, **fields}, default=str)
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()
        if self._taker is not None:
            self._taker.take(event, at, line)
