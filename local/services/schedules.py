"""The wall clock, for services which take a schedule as an argument."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from local.group.clock import Agenda, Timer

_log = logging.getLogger(__name__)


class WallSchedule:
    """Makes planned calls on one daemon thread, in order of their time.

    A call runs with the context variables of whoever planned it (ministack keeps account and
    region there) and must be quick; what blocks goes to a thread of its own.
    """

    def __init__(self, name: str) -> None:
        self._agenda = Agenda()
        self._changed = threading.Condition()
        self._epoch_offset = time.time() - time.monotonic()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def now(self) -> float:
        """Epoch seconds that never step back."""
        return time.monotonic() + self._epoch_offset

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> Timer:
        """Call once at `when`; a moment in the past means as soon as possible."""
        context = contextvars.copy_context()
        with self._changed:
            timer = self._agenda.add(when, context.run, (call, *args))
            self._changed.notify()
        return timer

    def _run(self) -> None:
        while True:
            call, args = self._next()
            try:
                call(*args)
            except Exception:  # the thread serves everybody: one failed call must not end it
                _log.exception("planned call %r failed", args)

    def _next(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        with self._changed:
            while True:
                due = self._agenda.next_at()
                if due is not None and due <= self.now():
                    return self._agenda.take()
                self._changed.wait(None if due is None else due - self.now())
