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
    __slots__ = ("args", "call", "number", "when")

    def __init__(
        self, when: float, number: int, call: Callable[..., None] | None, args: tuple[Any, ...]
    ) -> None:
        self.when = when
        self.number = number
        self.call = call
        self.args = args

    def __lt__(self, other: _Entry) -> bool:
        return (self.when, self.number) < (other.when, other.number)

    def cancel(self) -> None:
        self.call = None
        self.args = ()


class Agenda:
    """Calls in the order of their time; those of one moment in the order they were added."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._added = 0

    def add(self, when: float, call: Callable[..., None], args: tuple[Any, ...]) -> Timer:
        self._added += 1
        entry = _Entry(when, self._added, call, args)
        heapq.heappush(self._entries, entry)
        return entry

    def next_at(self) -> float | None:
        """When the next call is due; None when nothing is planned."""
        while self._entries and self._entries[0].call is None:
            heapq.heappop(self._entries)
        return self._entries[0].when if self._entries else None

    def take(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """Remove and return the next call; ask `next_at` first, it skips cancelled ones."""
        entry = heapq.heappop(self._entries)
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
