"""Who saw every attempt at a churn's jobs run, from outside: handler.py is what it hears."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(slots=True)
class Sighting:
    """One run of the handler; `ended_at` is None while it runs. Epoch seconds.

    `saved_at` is when it had last saved all it had done.
    """

    job_id: str
    attempt: int
    began_at: float
    saved_at: float | None = None
    ended_at: float | None = None
    completed: bool = False


class Witness:
    """Listens on this computer, whose network the boxes share, until the block ends."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sightings: list[Sighting] = []
        self._server = _Server(self._hear)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for the payload of a job."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """In the order in which they began."""
        with self._lock:
            return tuple(self._sightings)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True, name="witness").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _hear(self, lines: Iterable[bytes]) -> None:
        """One connection, which is one attempt; a process that is killed closes it as well."""
        sighting: Sighting | None = None
        try:
            for line in lines:
                if line.endswith(b"\n"):  # the last may have been cut short
                    sighting = self._note(json.loads(line), sighting)
        except ConnectionResetError:
            pass  # the end of the connection, as any other
        if sighting is not None:
            sighting.ended_at = self._clock()

    def _note(self, said: dict[str, object], sighting: Sighting | None) -> Sighting:
        now = self._clock()
        if sighting is None:
            sighting = Sighting(str(said["job_id"]), int(str(said["attempt"])), now)
            with self._lock:
                self._sightings.append(sighting)
        if said["event"] == "saved":
            sighting.saved_at = now
        sighting.completed |= said["event"] == "completed"
        return sighting


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, hear: Callable[[Iterable[bytes]], None]) -> None:
        self.hear = hear
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.hear(self.rfile)
