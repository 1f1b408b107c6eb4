"""13. The breaker's trial sets up one instance, or what MinSize lacks, and it has an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from faults.invariants.setups import lost, setups
from pilotlight.fleet.breaker_state import Phase
from pilotlight.fleet.commands import CommandBook
from pilotlight.fleet.lifecycle_action import READY_HOOK

if TYPE_CHECKING:
    from faults.world import World

# Reconcile looks each minute; it may just have looked, and one look may fail. Until it has seen the
# launch, a setup that failed at once is replaced.
SEEN_SECONDS = 150.0
LAUNCH_SECONDS = 300.0
# A person may ask for more.
EXCUSES = frozenset({"capacity_set_by_hand"})


def trial_is_small(world: World) -> Iterator[str]:
    state, now = world.breaker, world.clock.now()
    since = state.since.timestamp()
    if state.phase not in (Phase.TRIAL, Phase.TRIED) or world.group.deleting:
        return
    lasted = now - max(since, world.answering_since)
    if lasted > _bound_seconds(world):
        yield f"a trial has been going on for {lasted:.0f} s"
    if EXCUSES.isdisjoint(world.tally):
        yield from _more_than_one(world, since)


def _more_than_one(world: World, since: float) -> Iterator[str]:
    begun = list(setups(world, since))
    under_way = [it for it in begun if it.end_time is None]
    allowed = max(1, world.group.settings.min_size) + lost(world, since)
    # CloudFormation gives the pool the template's sizes whenever it comes to it. With launching on
    # for the trial, all that they lack is launched before the next look, which holds the rest.
    pool_deployed = world.stack.pool_deployed_at > since
    if len(under_way) > allowed and not pool_deployed:
        yield f"a trial sets up {len(under_way)} instances at once, and {allowed} may be"
    if begun:
        seen_by = max(begun[-1].start_time, world.answering_since) + SEEN_SECONDS
        if begun[0].start_time > seen_by:
            yield f"a trial has set up {len(begun)} instances, and goes on"


def _bound_seconds(world: World) -> float:
    settings = world.plan.settings
    book = CommandBook("", "", settings.setup_timeout_seconds, settings.drain_seconds)
    return LAUNCH_SECONDS + 2 * book.longest(READY_HOOK).total_seconds() + SEEN_SECONDS
