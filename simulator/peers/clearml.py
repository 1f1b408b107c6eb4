"""ClearML's AutoScaler: every few minutes it spins up a machine for each task nobody is there for.

A worker idle for `max_idle_time_min` is spun down (`Contestant.worker_idle_exit_seconds`). Source:
clearml/clearml, clearml/automation/auto_scaler.py. It gives a machine up that has not reported for
30 minutes; here the group itself replaces one that fails to start.
"""

from dataclasses import dataclass

from simulator.peers.counts import bounded, starting
from simulator.rules import View


def spin_ups(queued: int, idle: int, spinning: int) -> int:
    """Machines to start: tasks in the queue without an idle or a starting machine."""
    return max(0, queued - idle - spinning)


@dataclass(frozen=True, slots=True)
class AutoScaler:
    """The rule, without memory; all is in how seldom it looks."""

    def decide(self, view: View) -> int | None:
        new = spin_ups(view.visible, view.idle, starting(view))
        return bounded(view.desired + new, view) if new else None
