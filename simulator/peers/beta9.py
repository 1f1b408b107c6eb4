"""beta9's task queue: containers for all tasks that are queued or run, looked at each second.

A container leaves by itself when no task came for `keep_warm_seconds`
(`Contestant.worker_idle_exit_seconds`). Source: beam-cloud/beta9,
pkg/abstractions/taskqueue/autoscaler.go and pkg/abstractions/common/autoscaler.go.
"""

import math
from dataclasses import dataclass

from simulator.peers.counts import bounded
from simulator.rules import Contestant, View


def wanted_containers(tasks: int, tasks_per_container: int, max_containers: int) -> int:
    return min(max_containers, math.ceil(tasks / tasks_per_container))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQueue:
    """The rule, without memory; it only adds, idle containers take themselves away."""

    tasks_per_container: int = 1
    min_containers: int = 0

    def decide(self, view: View) -> int | None:
        tasks = view.visible + view.in_flight
        wanted = wanted_containers(tasks, self.tasks_per_container, view.max_size)
        wanted = bounded(max(self.min_containers, wanted), view)
        return wanted if wanted > view.desired else None


SOURCE = "beam-cloud/beta9: pkg/abstractions/taskqueue/autoscaler.go"


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="beta9",
        make=TaskQueue,
        every_seconds=1,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=10,  # keep_warm_seconds
        source=SOURCE,
    ),
    Contestant(
        name="beta9-tuned",
        make=TaskQueue,
        every_seconds=1,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,
        source=SOURCE,
        tuned=True,
    ),
)
