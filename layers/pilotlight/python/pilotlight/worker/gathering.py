"""Things that come in quick succession and are then dealt with together."""

import threading
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Batch(Generic[T]):
    members: list[T] = field(default_factory=list)
    full: threading.Event = field(default_factory=lambda: threading.Event())


class Gathering(Generic[T]):
    """Whoever brings the first of a batch deals with all of it, once it is complete."""

    def __init__(self, at_most: int, seconds: float) -> None:
        self._at_most = at_most
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open: Batch[T] = Batch()

    def join(self, member: T) -> Batch[T] | None:
        """The batch, for whoever has to deal with it; None for all others."""
        with self._lock:
            batch = self._open
            batch.members.append(member)
            if len(batch.members) == self._at_most:
                self._open = Batch()
                batch.full.set()
            return batch if len(batch.members) == 1 else None

    def complete(self, batch: Batch[T]) -> list[T]:
        """Waits until the batch is full or its time is over; nobody joins it any more."""
        batch.full.wait(self._seconds)
        with self._lock:
            if self._open is batch:
                self._open = Batch()
            return batch.members
