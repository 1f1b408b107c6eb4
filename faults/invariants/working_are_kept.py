"""17. The functions call no instance in service unhealthy whose worker works, or just starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.guest import Guest
    from faults.world import World

STARTING_SECONDS = 300.0

# Its process waits for the instance's id, and has not come to its loop.
EXCUSES = frozenset({"metadata_away", "metadata_slow"})


def working_are_kept(world: World) -> Iterator[str]:
    api = world.auto_scaling
    condemned, api.condemned = api.condemned, []
    for instance_id in condemned:
        guest = world.machines.guests.get(instance_id)
        if guest is not None and _is_well(world, guest) and EXCUSES.isdisjoint(world.tally):
            yield f"{instance_id} works or just starts, and is called unhealthy"


def _is_well(world: World, guest: Guest) -> bool:
    just_starts = world.clock.now() < guest.started_at + STARTING_SECONDS
    return guest.works or (just_starts and not guest.worker_is_broken)
