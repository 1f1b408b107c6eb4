"""19. While the breaker is open nothing new is set up, whatever is woken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from faults.invariants.setups import lost, setups
from pilotlight.fleet.breaker_state import Phase

if TYPE_CHECKING:
    from faults.world import World

# A person may ask for more.
EXCUSES = frozenset({"capacity_set_by_hand"})


def open_breaker_launches_nothing(world: World) -> Iterator[str]:
    """But for what is lost while something is woken, and for what MinSize lacks.

    Launching is suspended before the tag is written. The time in the tag is when the look began,
    up to its timeout earlier: what was launched between the two, nothing had forbidden yet.
    """
    state = world.breaker
    if state.phase not in (Phase.OPEN, Phase.PREPARING) or world.group.deleting:
        return
    if not EXCUSES.isdisjoint(world.tally):
        return
    begun = sum(1 for _ in setups(world, world.auto_scaling.breaker_written_at))
    may_be_replaced = lost(world, state.since.timestamp()) if begun else 0
    allowed = world.group.settings.min_size + may_be_replaced
    if begun > allowed:
        yield f"the breaker is open, and {begun} instances were set up, {allowed} may be"
