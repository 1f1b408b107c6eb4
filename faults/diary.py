"""What happened in a run, in the order in which it did; kept only when somebody is to read it."""

from __future__ import annotations

from collections.abc import Callable

KEPT_LINES = 20_000


class Diary:
    def __init__(self, now: Callable[[], float], *, listens: bool) -> None:
        self._now = now
        self.listens = listens
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        if self.listens and len(self.lines) < KEPT_LINES:
            self.lines.append(f"{self._now():8.1f} s  {line}")
