"""KEDA's ScaledJob: one Kubernetes Job per message, created at each poll, never stopped.

A finished Job leaves its node idle, and the next one starts there; the node itself goes when the
cluster finds it empty (`Contestant.worker_idle_exit_seconds`). Source: kedacore/keda,
pkg/scaling/executor/scale_jobs.go and pkg/scaling/scaledjob/metrics.go at 8b4f083.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.peers.counts import bounded, starting
from simulator.rules import Contestant, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What a scaling strategy is told. Counts of Jobs."""

    wanted: int  # for the queue, at most the maximum
    running: int  # not finished, pending ones among them
    pending: int  # no pod runs yet
    maximum: int


Strategy = Callable[[Jobs], int]
"""The most Jobs that may be created now."""


def default(jobs: Jobs) -> int:
    return jobs.wanted - jobs.running


def accurate(jobs: Jobs) -> int:
    """For queues whose length leaves out what is being worked on."""
    if jobs.wanted + jobs.running - jobs.pending > jobs.maximum:
        return jobs.maximum - jobs.running
    return jobs.wanted - jobs.pending


def eager(jobs: Jobs) -> int:
    return min(jobs.maximum - jobs.running - jobs.pending, jobs.wanted)


def custom(queue_length_deduction: int, running_job_percentage: float) -> Strategy:
    """The strategy with the two settings that it takes (a percentage of 1 is all of them)."""

    def strategy(jobs: Jobs) -> int:
        counted = int(jobs.running * running_job_percentage)
        return min(jobs.wanted - queue_length_deduction - counted, jobs.maximum)

    return strategy


def wanted_jobs(queue_length: int, target: float, maximum: int) -> int:
    return math.ceil(min(queue_length / target, maximum))


def jobs_to_create(queue_length: int, allowed: int) -> int:
    return max(0, min(queue_length, allowed))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledJob:
    """The rule, without memory. `scale_on_in_flight` counts messages being worked on."""

    strategy: Strategy = default
    target: float = 5.0
    scale_on_in_flight: bool = True

    def decide(self, view: View) -> int | None:
        length = view.visible + (view.in_flight if self.scale_on_in_flight else 0)
        running = max(0, view.desired - view.idle)
        jobs = Jobs(
            wanted=wanted_jobs(length, self.target, view.max_size),
            running=running,
            pending=starting(view),
            maximum=view.max_size,
        )
        nodes = bounded(running + jobs_to_create(length, self.strategy(jobs)), view)
        return nodes if nodes > view.desired else None


SOURCE = "keda 8b4f083: scale_jobs.go; nodes: cluster-autoscaler, Karpenter"


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="keda-jobs",
        make=ScaledJob,
        every_seconds=30,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=600,  # cluster-autoscaler, scale-down-unneeded-time
        source=SOURCE,
    ),
    Contestant(
        name="keda-jobs-tuned",
        make=lambda: ScaledJob(strategy=accurate, target=1, scale_on_in_flight=False),
        every_seconds=5,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,  # Karpenter, consolidateAfter
        source=SOURCE,
        tuned=True,
    ),
)
