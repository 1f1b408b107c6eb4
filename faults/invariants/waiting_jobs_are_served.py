"""16. No job waits for nine minutes while instances are in service and nothing works on any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from faults.invariants.since import Since
from local.group.states import LifecycleState

if TYPE_CHECKING:
    from faults.world import World

# A heartbeat is due within one minute, may be overdue for five, and reconcile passes each minute.
BOUND_SECONDS = 540.0


class WaitingJobsAreServed:
    def __init__(self) -> None:
        self._alone = Since()

    def __call__(self, world: World) -> Iterator[str]:
        now = world.clock.now()
        since = self._alone.look(_left_alone(world), now)
        if since is not None and now > max(since, world.heard_since) + BOUND_SECONDS:
            yield f"jobs wait for {now - since:.0f} s, and nothing in service works"


def _left_alone(world: World) -> bool:
    """Whether a job waits, and whatever is in service has no worker that could take it."""
    visible, _, _ = world.jobs.counts()
    serving = [it.instance_id for it in world.group.members.within((LifecycleState.IN_SERVICE,))]
    guests = [world.machines.guests.get(instance_id) for instance_id in serving]
    return bool(visible and serving) and not any(it is not None and it.works for it in guests)
