"""6. Three minutes after jobs wait, as many instances are desired as they need and limits allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from faults.invariants.since import Since
from pilotlight.fleet.breaker_state import Phase

if TYPE_CHECKING:
    from faults.world import World

BOUND_SECONDS = 180.0


class CapacityFollowsDemand:
    """Without a watch and an alarm that comes, the minute's look does it; all within the bound.

    While the breaker is open, what works and what sleeps is all that there is to be had; during an
    instance refresh only what works, since AWS refuses then what keeps the pool from growing, and
    without what that has launched before another leaves.
    """

    def __init__(self) -> None:
        self._short = Since()

    def __call__(self, world: World) -> Iterator[str]:
        wanted, desired, now = _wanted(world), world.group.desired_capacity, world.clock.now()
        met = desired >= wanted or world.group.deleting
        since = self._short.look(not met and _is_to_follow(world), now)
        if since is not None and now > since + BOUND_SECONDS:
            for_seconds = f"for {BOUND_SECONDS:.0f} s"
            yield f"{desired} instances are desired {for_seconds}, and {wanted} are needed"


def _is_to_follow(world: World) -> bool:
    return world.mischief.aws_answers


def _wanted(world: World) -> int:
    visible, in_flight, _ = world.jobs.counts()
    settings, bounds = world.settings, world.group.settings
    needed = math.ceil((visible + in_flight) / settings.jobs_per_instance)
    if not visible:
        needed = 0  # what runs, runs somewhere
    affordable = settings.affordable
    limit = bounds.max_size if affordable is None else min(affordable, bounds.max_size)
    if world.breaker.phase not in (Phase.CLOSED, Phase.CLOSING):
        group, members = world.group, world.group.members
        asleep = 0 if group.refreshes.active else members.pool_settled
        ahead = min(group.surplus.group, max(0, members.group_active - group.desired_capacity))
        limit = min(limit, members.group_active - ahead + asleep)
    return max(bounds.min_size, min(needed, limit))
