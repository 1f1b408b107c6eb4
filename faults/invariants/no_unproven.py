"""4. No instance rests in the pool or is in service without having passed its readiness checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from local.group.states import LifecycleState

if TYPE_CHECKING:
    from faults.world import World

PROOF = "pilotlight:proven-at"
_ARRIVED = (LifecycleState.IN_SERVICE, LifecycleState.WARMED_STOPPED)


def no_unproven(world: World) -> Iterator[str]:
    for instance in world.group.members.within(_ARRIVED):
        guest = world.machines.guests.get(instance.instance_id)
        if guest is None:
            continue  # terminated from outside, and the group has not seen it yet
        if guest.proven_at is None:
            yield f"{instance.instance_id} is {instance.state} and never passed its checks"
        elif PROOF not in guest.tags:
            yield f"{instance.instance_id} is {instance.state} and carries no proof"
