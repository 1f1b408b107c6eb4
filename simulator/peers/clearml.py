"""ClearML's AutoScaler: every few minutes it spins up a machine for each task nobody is there for.

A worker idle for `max_idle_time_min` is spun down (`Contestant.worker_idle_exit_seconds`). Source:
clearml/clearml, clearml/automation/auto_scaler.py. It gives a machine up that has not reported for
30 minutes; here the group itself replaces one that fails to start.
"""

from dataclasses import dataclass

from simulator.peers.counts import bounded, starting
from simulator.rules import Contestant, View


def spin_ups(queued: int, idle: int, spinning: int) -> int:
    """Machines to start: tasks in the queue without an idle or a starting machine."""
    return max(0, queued - idle - spinning)


@dataclass(frozen=True, slots=True)
class AutoScaler:
    """The rule, without memory; all is in how seldom it looks."""

    def decide(self, view: View) -> int | None:
        new = spin_ups(view.visible, view.idle, starting(view))
        return bounded(view.desired + new, view) if new else None


SOURCE = "clearml: clearml/automation/auto_scaler.py"


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="clearml",
        make=AutoScaler,
        every_seconds=300,  # polling_interval_time_min
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=900,  # max_idle_time_min
        source=SOURCE,
    ),
    Contestant(
        name="clearml-tuned",
        make=AutoScaler,
        every_seconds=6,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,  # its shortest
        source=SOURCE,
        tuned=True,
    ),
)
