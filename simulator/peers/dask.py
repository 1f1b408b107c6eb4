"""Dask's adaptive scaling: up at once, down only what three looks in a row found too many.

Source: dask/distributed, distributed/deploy/adaptive_core.py. The target is one worker per
unfinished task, which is what its scheduler asks for when tasks are longer than the five seconds of
`target-duration`.
"""

from collections import deque
from dataclasses import dataclass, field

from simulator.peers.counts import bounded
from simulator.rules import Contestant, View


@dataclass(slots=True)
class Adaptive:
    """The rule; it remembers the surplus of its last `wait_count` looks.

    The same workers are proposed each time, so the smallest surplus is how many got every vote.
    """

    wait_count: int = 3
    _surpluses: deque[int] = field(default_factory=deque)

    def decide(self, view: View) -> int | None:
        target = bounded(view.visible + view.in_flight, view)
        if target >= view.desired:
            self._surpluses.clear()
            return target
        self._surpluses.append(view.desired - target)
        if len(self._surpluses) < self.wait_count:
            return None
        closed = min(self._surpluses)
        self._surpluses.popleft()
        if closed:
            self._surpluses = deque(surplus - closed for surplus in self._surpluses)
        return view.desired - closed


SOURCE = "dask/distributed: distributed/deploy/adaptive_core.py"


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="dask-adaptive",
        make=Adaptive,
        every_seconds=1,
        memory_seconds=3,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
    ),
    Contestant(
        name="dask-adaptive-tuned",
        make=lambda: Adaptive(wait_count=60),
        every_seconds=1,
        memory_seconds=60,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
