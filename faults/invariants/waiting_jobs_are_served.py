"""16. No job waits for nine minutes while instances are in service and nothing works on any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from local.group.states import LifecycleState

if TYPE_CHECKING:
    from faults.world import World

# A heartbeat is due within one minute, may be overdue for five, and reconcile passes each minute.
BOUND_SECONDS = 540.0


def waiting_jobs_are_served(world: World) -> Iterator[str]:
    now = world.clock.now()
    if not _left_alone(world):
        world.left_alone_since = None
        return
    if world.left_alone_since is None:
        world.left_alone_since = now
    if now > max(world.left_alone_since, world.heard_since) + BOUND_SECONDS:
        yield f"jobs wait for {now - world.left_alone_since:.0f} s, and nothing in service works"


def _left_alone(world: World) -> bool:
    """Whether a job waits, and whatever is in service has no worker that could take it."""
    visible, _, _ = world.jobs.counts()
    serving = [it.instance_id for it in world.group.members.within((LifecycleState.IN_SERVICE,))]
    guests = [world.machines.guests.get(instance_id) for instance_id in serving]
    return bool(visible and serving) and not any(it is not None and it.works for it in guests)
