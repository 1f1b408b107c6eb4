"""What an agent works with, each part as narrow as the agent needs it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.worker.drain_files import DrainFiles
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.intake import Intake
from pilotlight.worker.loop_state import Fitness
from pilotlight.worker.wake import Stopwatch


class Around(Protocol):
    def target(self) -> str | None: ...
    def notice_deadline(self) -> float | None: ...


class CheckedSlots(Protocol):
    ready_at: float

    @property
    def fitness(self) -> Fitness: ...
    def open(self) -> None: ...


class Inlet(Protocol):
    """Messages, one receive at a time."""

    @property
    def open(self) -> bool: ...
    def begin(self, at_most: int) -> None: ...
    def take(self) -> list[ReceivedMessage] | None: ...


class OwnInstance(Protocol):
    """Each raises RefusedError or one of AWS_CALL_ERRORS."""

    def protect(self) -> None: ...
    def unprotect(self) -> None: ...
    def report_unhealthy(self) -> None: ...


class QueueDepth(Protocol):
    def visible(self) -> int: ...


class ProtectionNote(Protocol):
    """Remembers, until the instance stops, that protection may be off."""

    def write(self) -> None: ...
    def erase(self) -> None: ...


@dataclass
class LeaveSign:
    """Tells the running jobs when they are ended; see supervision.StopSign."""

    hand_back_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an agent works with."""

    around: Around
    slots: CheckedSlots
    inlet: Inlet
    intake: Intake
    instance: OwnInstance
    depth: QueueDepth
    drain_files: DrainFiles
    note: ProtectionNote
    leave_sign: LeaveSign
    stopwatch: Stopwatch
    clock: Callable[[], float]
    random: random.Random
    log: EventLog
