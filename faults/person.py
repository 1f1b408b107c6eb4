"""What a person does to a stack by hand."""

from __future__ import annotations

from typing import Protocol

from faults.auto_scaling import AutoScalingApi
from faults.diary import Diary
from faults.stack import Stack
from local.group.clock import Schedule
from local.group.group import Group
from pilotlight.fleet.breaker_state import Phase


class Surroundings(Protocol):
    diary: Diary
    group: Group
    stack: Stack
    auto_scaling: AutoScalingApi

    @property
    def clock(self) -> Schedule: ...


class Person:
    """`set_capacity_at` and `closed_breaker_at` are when that was last, None before it ever was."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.set_capacity_at: float | None = None
        self.closed_breaker_at: float | None = None

    def set_capacity(self, capacity: int) -> None:
        self.set_capacity_at = self._around.clock.now()
        self._around.group.set_desired_capacity(capacity)

    def look_in(self, pause_seconds: float) -> None:
        """Repairs the setup and closes the breaker, if it is open and was not closed just now."""
        around, now = self._around, self._around.clock.now()
        is_closed = around.auto_scaling.breaker.phase in (Phase.CLOSED, Phase.CLOSING)
        if around.stack.is_deleted or is_closed:
            return
        if now >= (self.closed_breaker_at or 0.0) + pause_seconds:
            self.closed_breaker_at = now
            around.diary.say("a person closes the breaker")
            around.auto_scaling.write_breaker(Phase.CLOSING)
