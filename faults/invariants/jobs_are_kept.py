"""1. Every job sent is in the queue, has one result for good, or is a dead letter with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World


def jobs_are_kept(world: World) -> Iterator[str]:
    ledger = world.ledger
    for job_id in ledger.overwritten:
        yield f"the result of {job_id} was written twice"
    for job_id, truth in ledger.open.items():
        if not ledger.in_queue(truth) and not ledger.in_dead_letters(job_id, truth):
            yield f"{job_id} is lost: it has no result, and no queue has it"
        if not ledger.has_payload(truth):
            yield f"{job_id} is lost: it has no result, and its payload is gone"


def dead_letters_have_reasons(world: World) -> Iterator[str]:
    """In the end: the table or the message says why, or else its workers were all lost."""
    ledger = world.ledger
    for job_id, truth in ledger.truths.items():
        if job_id in ledger.results or not ledger.in_dead_letters(job_id, truth):
            continue
        item = ledger.items.get(job_id, {})
        if "error" not in item:
            yield f"{job_id} is a dead letter, and nothing says why"
