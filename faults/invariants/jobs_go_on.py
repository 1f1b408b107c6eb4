"""14. A job that runs again goes on from the checkpoint that it saved last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World


def jobs_go_on(world: World) -> Iterator[str]:
    """So no more is lost than what it did since."""
    resumptions, world.ledger.resumptions = world.ledger.resumptions, []
    for it in resumptions:
        if it.restored < it.saved:
            yield f"{it.job_id} goes on after {it.restored:g} s, and {it.saved:g} s were saved"
