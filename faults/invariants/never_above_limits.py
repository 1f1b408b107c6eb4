"""5. There are never more instances than the largest size, nor more desired than is affordable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World


def never_above_limits(world: World) -> Iterator[str]:
    group, affordable = world.group, world.settings.affordable
    # An instance refresh launches one before another leaves; AWS names no bound but its percentage.
    active, limit = group.members.group_active, group.settings.max_size + group.surplus.group
    # An update may have lowered it below what there was, and busy ones stay for a while.
    world.most_active = max(limit, min(world.most_active, active))
    if active > world.most_active:
        yield f"{active} instances are active, and {limit} is the largest size"
    if affordable is None or world.person.set_capacity_at is not None:
        return
    # Whoever lowers MinSize waits for the next look at the queue.
    allowed = max(affordable, *(it.min_size for it in world.settings_so_far))
    if group.desired_capacity > allowed:
        yield f"{group.desired_capacity} instances are desired, and {allowed} are affordable"
