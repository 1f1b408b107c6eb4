"""What happened in a run, in the order in which it did; kept only when somebody is to read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

KEPT_LINES = 20_000
TOLD = ("instance_id", "hook", "destination", "result", "reason", "capacity", "detail")


class Diary:
    def __init__(self, now: Callable[[], float], *, listens: bool) -> None:
        self._now = now
        self.listens = listens
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        if self.listens and len(self.lines) < KEPT_LINES:
            self.lines.append(f"{self._now():8.1f} s  {line}")


class FunctionLog:
    """Where the functions' logger writes: what was done about whom goes into the diary."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary

    def write(self, text: str) -> int:
        if self._diary.listens:
            for line in text.splitlines():
                self._tell(json.loads(line))
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def _tell(self, event: dict[str, Any]) -> None:
        told = [str(event[name]) for name in TOLD if event.get(name) not in (None, "")]
        self._diary.say(f"{event['message']}: {' '.join(told)}")
