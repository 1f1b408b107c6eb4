"""What a policy did on a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.prices import Bill


@dataclass(frozen=True, slots=True)
class Sample:
    """How it stood at one moment: instances (InService and on their way in) and jobs."""

    at_seconds: float
    capacity: int
    in_service: int
    waiting: int
    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`waits_seconds` ascend, one for each job: from arrival to the start of the attempt that
    finished; a job that never did has waited until the end."""

    policy: str
    jobs: int
    unfinished: int
    waits_seconds: Sequence[float]
    warm_starts: int
    cold_starts: int
    failed_starts: int
    busy_kills: int
    lost_job_seconds: float
    instance_hours: dict[str, float]
    bill: Bill
    looks: int
    api_calls: int
    throttled_calls: int = 0
    at_max_seconds: float
    samples: tuple[Sample, ...]

    @property
    def warm_share(self) -> float:
        """Of the starts into the group; 1 when there was none."""
        starts = self.warm_starts + self.cold_starts
        return self.warm_starts / starts if starts else 1.0

    @property
    def wait_p95_s(self) -> float:
        return percentile(self.waits_seconds, 95)

    @property
    def usd(self) -> float:
        return self.bill.total

    def as_json(self) -> dict[str, Any]:
        """The keys and units of `pilotlight simulate --json`."""
        waits = self.waits_seconds
        return {
            "policy": self.policy,
            "jobs": self.jobs,
            "wait_p50_s": round(percentile(waits, 50), 3),
            "wait_p95_s": round(self.wait_p95_s, 3),
            "wait_p99_s": round(percentile(waits, 99), 3),
            "warm_share": round(self.warm_share, 4),
            "busy_kills": self.busy_kills,
            "lost_job_seconds": round(self.lost_job_seconds, 1),
            "instance_hours": {
                state: round(hours, 3) for state, hours in self.instance_hours.items()
            },
            "usd": round(self.usd, 2),
            "api_calls": self.api_calls,
            "throttled_calls": self.throttled_calls,
            "wait_mean_s": round(sum(waits) / len(waits), 3),
            "wait_max_s": round(waits[-1], 3),
            "unfinished": self.unfinished,
            "starts": {"warm": self.warm_starts, "cold": self.cold_starts},
            "failed_starts": self.failed_starts,
            "usd_by_part": {
                "instances": round(self.bill.instances, 2),
                "disks": round(self.bill.disks, 2),
                "control": round(self.bill.control, 2),
            },
            "at_max_s": round(self.at_max_seconds, 1),
        }


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed (nearest rank)."""
    rank = -(-len(ascending) * percent // 100)
    return ascending[max(0, int(rank) - 1)]
