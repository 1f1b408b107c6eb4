"""What a scaling rule sees and says in virtual time, and the surroundings it comes with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True, kw_only=True)  # not frozen: that makes it three times as dear to build
class View:
    """What a rule sees at `now` (seconds), as old as its own way of looking makes it. Counts."""

    now: float
    visible: int
    in_flight: int
    delayed: int = 0
    oldest_age_seconds: float = 0.0
    desired: int
    in_service: int  # InService instances
    pending: int  # on their way in (Pending*)
    idle: int  # workers that are InService and without a job
    min_size: int
    max_size: int
    measured_at: float  # when the queue numbers were true


class Rule(Protocol):
    def decide(self, view: View) -> int | None:
        """The capacity to set; None holds. May remember (cooldowns, last activity)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A rule with the surroundings its own documentation gives it."""

    name: str
    make: Callable[[], Rule]  # fresh state for each run
    every_seconds: float  # how often it looks
    # The age of the queue numbers when it looks: 0 asks SQS, about 60 and more reads CloudWatch
    # metrics (their period and their publication).
    look_delay_seconds: float
    # Scale-in picks victims without knowing who is busy (KEDA, target tracking without protection).
    kills_busy: bool
    # The worker leaves by itself, lowering the capacity, after so long idle (Buildkite).
    worker_idle_exit_seconds: float | None = None
    jobs_per_instance: int = 1
    # So long after the last change of what it sees, each look gives the same answer: the longest of
    # its timers. 0 for a rule without memory; the default covers every published cool-down.
    memory_seconds: float = 3900.0
    source: str = ""  # where its rules and defaults come from
    tuned: bool = False
