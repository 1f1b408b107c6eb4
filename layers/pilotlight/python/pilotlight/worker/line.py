"""Messages that were received and wait for a slot."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.records import Run
from pilotlight.worker.job_process import Event


class SlotProcess(Protocol):
    @property
    def alive(self) -> bool: ...
    def send(self, message: Mapping[str, Any]) -> None: ...
    def events(self, timeout_seconds: float) -> list[Event]: ...
    def memory_bytes(self) -> int: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class Delivery:
    """A message on its way to a slot, in whose thread, and by whose process, the work is done."""

    message: ReceivedMessage
    claimed: Run | None  # when the table says already that it runs
    work: Callable[["Delivery", SlotProcess], None]


class Line:
    """Deliveries that wait for a slot, each with the moment since when."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.waiting: deque[tuple[float, Delivery]] = deque()
        self.moving = threading.Condition()
        self.closed = False

    def put(self, delivery: Delivery) -> None:
        with self.moving:
            self.waiting.append((self._clock(), delivery))
            self.moving.notify()

    def put_back(self, delivery: Delivery) -> None:
        """Before all others."""
        with self.moving:
            self.waiting.appendleft((self._clock(), delivery))
            self.moving.notify()

    def take(self, timeout_seconds: float, taken: Callable[[], None]) -> Delivery | None:
        """The oldest, with `taken` called while nobody else looks; None when there is none."""
        with self.moving:
            if not self.waiting and not self.closed:
                self.moving.wait(timeout_seconds)
            if not self.waiting or self.closed:
                return None
            taken()
            return self.waiting.popleft()[1]

    def withdraw(self, waiting_since: float) -> list[Delivery]:
        with self.moving:
            withdrawn = []
            while self.waiting and self.waiting[0][0] <= waiting_since:
                withdrawn.append(self.waiting.popleft()[1])
            return withdrawn

    def close(self) -> None:
        with self.moving:
            self.closed = True
            self.moving.notify_all()
