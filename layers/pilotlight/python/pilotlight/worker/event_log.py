"""One line of JSON for each thing that happened, on standard output (systemd keeps it)."""

import json
import threading
from collections.abc import Callable
from typing import Any, TextIO


class EventLog:
    """`log("job_started", job_id=...)` writes event, at (epoch seconds) and the fields."""

    def __init__(self, stream: TextIO, clock: Callable[[], float], **always: Any) -> None:
        self._stream = stream
        self._clock = clock
        self._always = always
        self._lock = threading.Lock()

    def __call__(self, event: str, **fields: Any) -> None:
        line = json.dumps(
            {"event": event, "at": round(self._clock(), 3), **self._always, **fields}, default=str
        )
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()
