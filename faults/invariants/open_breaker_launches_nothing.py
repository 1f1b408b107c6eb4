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
    """But for what is lost while something is woken, and for what MinSize lacks."""
    state = world.breaker
    if state.phase not in (Phase.OPEN, Phase.PREPARING) or world.group.deleting:
        return
    if not EXCUSES.isdisjoint(world.tally):
        return
    since = state.since.timestamp()
    begun = sum(1 for _ in setups(world, since))
    allowed = world.group.settings.min_size + lost(world, since) if begun else 0
    if begun > allowed:
        yield f"the breaker is open, and {begun} instances were set up, {allowed} may be"
