"""What one run is made of: settings, jobs and faults, all drawn from one seed, or written by hand.

A plan is data: a fault can be left out of it, and the rest stays as it is. That is how a failing
run is made short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# What becomes of a call. Every other fault is somebody's own doing (faults/mischief.py).
CALL_FAULTS = {
    "call_throttled": "throttled",
    "call_broken": "broken",
    "call_unreached": "unreached",
    "call_answer_lost": "answer_lost",
    "call_doubled": "doubled",
    "answer_late": "late",
    "call_stalls": "stalls",
    "read_stale": "stale",
    "batch_in_part": "in_part",
    "crash_before_call": "crash_before",
    "crash_after_call": "crash_after",
    # The same for all calls to one service, for minutes.
    "s3_away": "unreached",
    "s3_slow": "late",
    "table_away": "unreached",
}
EVENT_FAULTS = ("event_lost", "event_doubled", "event_late", "event_overtaken")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, from `at` (seconds of the run) on.

    It takes effect `count` times within `seconds`; `who` and `what` say on whom, `index` picks one
    of those that there are at that moment.
    """

    at: float
    kind: str
    seconds: float = 60.0
    count: int = 1
    who: str = "*"
    what: str = "*"
    index: int = 0

    def meets(self, kind_of_caller: str, service: str, operation: str) -> bool:
        if self.who not in ("*", kind_of_caller):
            return False
        return self.what in ("*", service, f"{service}.{operation}")

    def __str__(self) -> str:
        whom = f" {self.who}/{self.what}" if (self.who, self.what) != ("*", "*") else ""
        times = f" x{self.count}" if self.count > 1 else ""
        return f"{self.at:7.1f} s  {self.kind}{whom}{times} for {self.seconds:.0f} s #{self.index}"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A message that is sent at `at`, and what its handler does with it for `seconds`.

    `does`: return, raise, crash, hang, unjson; or malformed, which never reaches a handler. With
    `saves_every_seconds` it saves a checkpoint after each so many seconds of its work.
    """

    at: float
    job_id: str
    seconds: float = 10.0
    does: str = "return"
    saves_every_seconds: float = 0.0
    payload_in_s3: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The template's parameters, named as there, and how long things take in truth.

    `person_seconds` is how long a person leaves launching suspended; infinite, and nobody looks in.
    """

    min_size: int = 1
    max_size: int = 4
    pool_min_size: int = 0
    max_prepared: int | None = None
    reuse_on_scale_in: bool = True
    jobs_per_instance: int = 1
    visibility_timeout_seconds: int = 60
    job_timeout_seconds: int = 180
    max_receive_count: int = 20
    max_attempts: int = 3
    watch_seconds: int = 10
    target_wait_seconds: float = 60.0
    start_seconds: int = 25
    idle_seconds: int = 30
    max_usd_per_day: float = 0.0
    instance_usd_per_hour: float = 0.0
    heartbeat_seconds: int = 7200
    setup_timeout_seconds: int = 240
    drain_seconds: int = 40
    retry_seconds: int = 10
    max_setup_failures: int = 3
    person_seconds: float = 120.0
    real_setup_seconds: float = 45.0
    real_boot_seconds: float = 8.0

    def changed(self, values: Mapping[str, Any]) -> Settings:
        return replace(self, **values)

    @property
    def affordable(self) -> int | None:
        if not self.max_usd_per_day or not self.instance_usd_per_hour:
            return None
        return int(self.max_usd_per_day / (24 * self.instance_usd_per_hour))


@dataclass(frozen=True, slots=True)
class Plan:
    """`quiet_at`: no fault takes effect from then on, and no job is sent."""

    seed: int
    settings: Settings = field(default_factory=Settings)
    jobs: tuple[JobSpec, ...] = ()
    faults: tuple[Fault, ...] = ()
    quiet_at: float = 1200.0
