"""Azure Batch's sample formula: as many nodes as tasks wait, else half of what there is.

Source: Azure Batch documentation, batch-automatic-scaling, the example that adjusts to tasks: the
larger of the last sample and the mean of 15 minutes; samples come each 30 seconds, the formula is
evaluated every 15 minutes, 5 at least. Nodes leave when their task is complete.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulator.peers.counts import bounded
from simulator.rules import Contestant, View

SAMPLE_SECONDS = 30.0
HISTORY_SAMPLES = 30  # 15 minutes


def active_tasks(view: View) -> int:
    """$ActiveTasks: ready to run, not yet running."""
    return view.visible


def pending_tasks(view: View) -> int:
    """$PendingTasks: active and running ones."""
    return view.visible + view.in_flight


def target_nodes(samples: Sequence[int], current_target: int) -> int:
    """The formula; `samples` is not empty, the newest last. Fractions of nodes are dropped."""
    tasks = max(samples[-1], sum(samples) / len(samples))
    return math.floor(tasks if tasks > 0 else current_target / 2)


@dataclass(slots=True)
class AutoscaleFormula:
    """The rule; a look is a sample, and it remembers those of 15 minutes."""

    tasks: Callable[[View], int] = active_tasks
    evaluation_interval_seconds: float = 900.0
    _samples: deque[int] = field(default_factory=lambda: deque(maxlen=HISTORY_SAMPLES))
    _next_evaluation: float = -math.inf

    def decide(self, view: View) -> int | None:
        self._samples.append(self.tasks(view))
        if view.now < self._next_evaluation:
            return None
        self._next_evaluation = view.now + self.evaluation_interval_seconds
        return bounded(target_nodes(self._samples, view.desired), view)


SOURCE = "Azure Batch documentation: batch-automatic-scaling"


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="azure-batch",
        make=AutoscaleFormula,
        every_seconds=30,
        memory_seconds=1800,
        look_delay_seconds=30,
        kills_busy=False,  # taskcompletion
        source=SOURCE,
    ),
    Contestant(
        name="azure-batch-tuned",
        make=lambda: AutoscaleFormula(pending_tasks, evaluation_interval_seconds=300),
        every_seconds=30,
        memory_seconds=1200,
        look_delay_seconds=30,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
