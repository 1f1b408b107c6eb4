"""RunsOn's runner pools: a runner per job, and hot ones that wait for the next.

A job is answered when its event arrives, from a running instance, else a stopped one, else a cold
start; a runner ends with its job. Stopped ones are the warm pool that everybody has here. Source:
runs-on.com, docs on warm pools.
"""

from dataclasses import dataclass

from simulator.peers.counts import bounded
from simulator.rules import Contestant, View


def wanted_runners(jobs: int, hot: int) -> int:
    return jobs + hot


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerPool:
    """The rule, without memory."""

    hot: int = 0

    def decide(self, view: View) -> int | None:
        return bounded(wanted_runners(view.visible + view.in_flight, self.hot), view)


SOURCE = "runs-on.com: docs on warm pools"


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="runs-on",
        make=lambda: RunnerPool(hot=1),  # the example of its documentation
        every_seconds=1,  # at each job's event
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
    ),
    Contestant(
        name="runs-on-tuned",
        make=RunnerPool,
        every_seconds=1,
        memory_seconds=0,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
