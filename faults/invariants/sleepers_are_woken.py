"""18. No proven instance sleeps on for two and a half minutes while a job waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from faults.invariants.since import Since

if TYPE_CHECKING:
    from faults.world import World

# Without a watch and an alarm that comes it is the minute's look; it may just have looked, and one
# look may fail.
BOUND_SECONDS = 150.0


class SleepersAreWoken:
    """With the breaker open as with it closed."""

    def __init__(self) -> None:
        self._sleeping = Since()

    def __call__(self, world: World) -> Iterator[str]:
        now = world.clock.now()
        since = self._sleeping.look(_sleeps_on(world), now)
        if since is not None and now > max(since, world.answering_since) + BOUND_SECONDS:
            asleep = world.group.members.pool_settled
            yield f"jobs wait for {now - since:.0f} s, and {asleep} instances sleep on"


def _sleeps_on(world: World) -> bool:
    """Whether one is wanted. Auto Scaling itself pauses when its launches have failed, and during
    an instance refresh it refuses what keeps the pool from growing."""
    group, visible = world.group, world.jobs.counts()[0]
    if not visible or not group.members.pool_settled or group.deleting:
        return False
    if world.group.refreshes.active:
        return False
    pauses = world.clock.now() < group.capacity.backoff.resumes_at()
    return group.desired_capacity > group.members.group_active and not pauses
