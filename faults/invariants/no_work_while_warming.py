"""10. No job begins on an instance that is on its way into the pool, or out of the group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from local.group.states import GROUP_ACTIVE

if TYPE_CHECKING:
    from faults.world import World


def no_work_while_warming(world: World) -> Iterator[str]:
    """A worker sees its target a moment late, so one that has just been told to leave may begin."""
    for beginning in world.ledger.beginnings:
        member = world.group.members.get(beginning.instance_id)
        if member is None or member.state in GROUP_ACTIVE:
            continue
        if world.clock.now() > member.activity.start_time + LATE_SECONDS:
            yield f"{beginning.job_id} begins on {beginning.instance_id}, which is {member.state}"


LATE_SECONDS = 5.0
