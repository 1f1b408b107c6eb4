"""Time as an argument: what the group asks of a clock, and a clock that never waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable
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


class _Entry:
    __slots__ = ("args", "call")

    def __init__(self, call: Callable[..., None] | None, args: tuple[Any, ...]) -> None:
        self.call = call
        self.args = args

    def cancel(self) -> None:
        self.call = None
        self.args = ()


class Agenda:
    """Calls in the order of their time; those of one moment in the order they were added."""

    def __init__(self) -> None:
        # When, number, entry: tuples are compared without a call into Python, and the number is
        # never the same twice, so that entries themselves never are compared.
        self._entries: list[tuple[float, int, _Entry]] = []
        self._added = 0

    def add(self, when: float, call: Callable[..., None], args: tuple[Any, ...]) -> Timer:
        self._added += 1
        entry = _Entry(call, args)
        heapq.heappush(self._entries, (when, self._added, entry))
        return entry

    def next_at(self) -> float | None:
        """When the next call is due; None when nothing is planned."""
        entries = self._entries
        while entries and entries[0][2].call is None:
            heapq.heappop(entries)
        return entries[0][0] if entries else None

    def take(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """Remove and return the next call; ask `next_at` first, it skips cancelled ones."""
        _, _, entry = heapq.heappop(self._entries)
        if entry.call is None:
            raise LookupError("the next call was cancelled; next_at was not asked")
        return entry.call, entry.args


class VirtualClock:
    """A clock that jumps to the next planned call: the same calls in the same order, each run."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._agenda = Agenda()

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> Timer:
        return self._agenda.add(max(when, self._now), call, args)

    def next_at(self) -> float | None:
        return self._agenda.next_at()

    def run_until(self, when: float) -> None:
        """Make every call due up to and including `when`, then stand at `when`."""
        while (due := self._agenda.next_at()) is not None and due <= when:
            self._now = due
            call, args = self._agenda.take()
            call(*args)
        self._now = max(self._now, when)

    def advance(self, seconds: float) -> None:
        self.run_until(self._now + seconds)
