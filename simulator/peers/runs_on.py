"""RunsOn's runner pools: a runner per job, and hot ones that wait for the next.

A job is answered when its event arrives, from a running instance, else a stopped one, else a cold
start; a runner ends with its job. Stopped ones are the warm pool that everybody has here. Source:
runs-on.com, docs on warm pools.
"""

from dataclasses import dataclass

from simulator.peers.counts import bounded
from simulator.rules import View


def wanted_runners(jobs: int, hot: int) -> int:
    return jobs + hot


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerPool:
    """The rule, without memory."""

    hot: int = 0

    def decide(self, view: View) -> int | None:
        return bounded(wanted_runners(view.visible + view.in_flight, self.hot), view)
