"""The group model's schedule on real time: one thread that makes the planned calls."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from local.group.clock import Agenda

log = logging.getLogger(__name__)


class WallClock:
    """Calls are made one at a time under `lock`; whoever else touches the model takes it too.

    `call_at` only needs the agenda's own small lock: it may be called from anywhere, with any lock
    held, and never waits for the model.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._agenda = Agenda()
        self._changed = threading.Condition()
        self._stopped = False
        # Steps of the computer's clock must not fire or delay timers.
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return time.monotonic() + self._offset

    def call_at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        with self._changed:
            self._agenda.add(when, call, args)
            self._changed.notify()

    def call_soon(self, call: Callable[..., None], *args: Any) -> None:
        self.call_at(self.now(), call, *args)

    def stop(self) -> None:
        """No call begins after this."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def run(self) -> None:
        """Make the calls until `stop`; the body of a thread."""
        while self._wait_until_due():
            with self.lock:
                self._call_next()

    def _wait_until_due(self) -> bool:
        with self._changed:
            while not self._stopped:
                due = self._agenda.next_at()
                if due is not None and due <= self.now():
                    return True
                self._changed.wait(None if due is None else due - self.now())
        return False

    def _call_next(self) -> None:
        with self._changed:
            call, args = self._agenda.take()
        try:
            call(*args)
        except Exception:
            # The outermost edge: one group's failure must not end the time of all others.
            log.exception("a planned call of the Auto Scaling groups failed: %s%r", call, args)
