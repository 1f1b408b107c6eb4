"""Time as an argument: what the group asks of a clock, and a clock that never waits."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol


class Timer:
    """A planned call that can be taken back."""

    __slots__ = ("_args", "_call")

    def __init__(self, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._call: Callable[..., None] | None = call
        self._args = args

    def __call__(self) -> None:
        if self._call is not None:
            self._call(*self._args)

    def cancel(self) -> None:
        """Never make it any more; harmless when it was made already."""
        self._call, self._args = None, ()

    @property
    def is_cancelled(self) -> bool:
        return self._call is None


class Schedule(Protocol):
    """Seconds since the epoch, and calls at a later moment."""

    def now(self) -> float: ...

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        """Call once at `when`; a moment in the past means as soon as possible, never at once."""
        ...


class Agenda:
    """Calls in the order of their time; those of one moment in the order they were added."""

    def __init__(self) -> None:
        # When, number, call, arguments; no two have the same number, so that a comparison never
        # reaches the call.
        self._entries: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._added = 0

    def add(self, when: float, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._added += 1
        heappush(self._entries, (when, self._added, call, args))

    def next_at(self) -> float | None:
        """When the next call is due; None when nothing is planned."""
        entries = self._entries
        while entries and _is_cancelled(entries[0][2]):
            heappop(entries)
        return entries[0][0] if entries else None

    def take(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """Remove and return the next call; ask `next_at` first, it skips cancelled ones."""
        _, _, call, args = heappop(self._entries)
        return call, args


def _is_cancelled(call: Callable[..., None]) -> bool:
    return isinstance(call, Timer) and call.is_cancelled


class VirtualClock(Agenda):
    """A clock that jumps to the next planned call: the same calls in the same order, each run."""

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self._now = start

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        # As `add` does, without calling it: nothing is done more often in virtual time.
        self._added = added = self._added + 1
        heappush(self._entries, (when if when > self._now else self._now, added, call, args))

    def timer_at(self, when: float, call: Callable[..., None], *args: Any) -> Timer:
        """The same, for a call that may be taken back."""
        timer = Timer(call, args)
        self.call_at(when, timer)
        return timer

    def run_until(self, when: float) -> None:
        """Make every call due up to and including `when`, then stand at `when`."""
        entries = self._entries
        while entries and entries[0][0] <= when:
            self._now, _, call, args = heappop(entries)
            call(*args)
        self._now = max(self._now, when)

    def advance(self, seconds: float) -> None:
        self.run_until(self._now + seconds)
