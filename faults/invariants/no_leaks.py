"""7. No machine is without a purpose for longer than ten minutes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from local.group.instance import Instance
from local.group.states import LifecycleState

if TYPE_CHECKING:
    from faults.guest import Guest
    from faults.world import World

BOUND_SECONDS = 600.0


class NoLeaks:
    def __init__(self) -> None:
        self._useless_since: dict[str, float] = {}

    def __call__(self, world: World) -> Iterator[str]:
        now, before = world.clock.now(), self._useless_since
        found = {it.instance_id: _useless(world, it) for it in world.machines.alive()}
        useless = {instance_id: why for instance_id, why in found.items() if why}
        self._useless_since = {it: before.get(it, now) for it in useless}
        for instance_id, since in self._useless_since.items():
            if now > max(since, world.heard_since) + BOUND_SECONDS:
                yield f"{instance_id} {useless[instance_id]} for {now - since:.0f} s"


def _useless(world: World, guest: Guest) -> str:
    member = world.group.members.get(guest.instance_id)
    if member is None:
        return "runs and belongs to no group"
    if member.state is not LifecycleState.IN_SERVICE:
        return ""
    if not guest.works:
        return "is in service and nothing works on it"
    return _not_needed(world, guest, member)


def _not_needed(world: World, guest: Guest, member: Instance) -> str:
    """Idle, protected and in excess."""
    wanted = world.group.desired_capacity + world.group.surplus.group
    excess = world.group.members.group_active > wanted
    idle = not guest.busy and member.protected
    return "is idle, not needed, and still protected" if excess and idle else ""
