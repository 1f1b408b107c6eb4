"""Time as an argument: what the group asks of a clock, and a clock that never waits."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol


class Timer(Protocol):
    def cancel(self) -> None:
        """Never call it any more; harmless when it was called already."""


class Schedule(Protocol):
    """Seconds since the epoch, and calls at a later moment."""

    def now(self) -> float: ...

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> Timer:
        """Call once at `when`; a moment in the past means as soon as possible, never at once."""
        ...


class _Entry(list[Any]):
    """When, number, call, arguments. A list, since those are compared without a call into Python;
    the number is never the same twice, so that a comparison never reaches the call."""

    __slots__ = ()

    def cancel(self) -> None:
        self[2], self[3] = None, ()


class Agenda:
    """Calls in the order of their time; those of one moment in the order they were added."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._added = 0

    def add(self, when: float, call: Callable[..., None], args: tuple[Any, ...]) -> Timer:
        self._added += 1
        entry = _Entry((when, self._added, call, args))
        heappush(self._entries, entry)
        return entry

    def next_at(self) -> float | None:
        """When the next call is due; None when nothing is planned."""
        entries = self._entries
        while entries and entries[0][2] is None:
            heappop(entries)
        return entries[0][0] if entries else None

    def take(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """Remove and return the next call; ask `next_at` first, it skips cancelled ones."""
        _, _, call, args = heappop(self._entries)
        if call is None:
            raise LookupError("the next call was cancelled; next_at was not asked")
        return call, args


class VirtualClock(Agenda):
    """A clock that jumps to the next planned call: the same calls in the same order, each run."""

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self._now = start

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> Timer:
        # As `add` does, without calling it: nothing is done more often in virtual time.
        self._added += 1
        entry = _Entry((when if when > self._now else self._now, self._added, call, args))
        heappush(self._entries, entry)
        return entry

    def run_until(self, when: float) -> None:
        """Make every call due up to and including `when`, then stand at `when`."""
        entries = self._entries
        while entries and entries[0][0] <= when:
            self._now, _, call, args = heappop(entries)
            if call is not None:
                call(*args)
        self._now = max(self._now, when)

    def advance(self, seconds: float) -> None:
        self.run_until(self._now + seconds)
