"""11. No job runs twice at the same time, unless a fault took its message from its worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World

# Each of these can make a visibility timeout end too early, or a worker's own idea of it wrong.
EXCUSES = frozenset(
    {
        "visibility_lapsed",
        "message_doubled",
        "worker_hangs",
        "clock_skewed",
        "call_throttled",
        "call_broken",
        "call_unreached",
        "call_answer_lost",
        "answer_late",
        "call_stalls",
    }
)


def one_run_at_a_time(world: World) -> Iterator[str]:
    beginnings, world.ledger.beginnings = world.ledger.beginnings, []
    if not EXCUSES.isdisjoint(world.tally):
        return
    for beginning in beginnings:
        truth = world.ledger.truths[beginning.job_id]
        if beginning.running_already and len(truth.message_ids) == 1:
            yield f"{beginning.job_id} begins on {beginning.instance_id} and runs elsewhere already"
