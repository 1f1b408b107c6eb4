"""9. Setup that fails again and again stops launching, and a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from faults.invariants.setups import setups
from pilotlight.fleet.breaker_state import Phase

if TYPE_CHECKING:
    from faults.world import World

# Reconcile looks each minute; it may just have looked, and one look may fail.
BOUND_SECONDS = 150.0
ABANDONED = "Lifecycle Action with token"


def breaker_stops_setup(world: World) -> Iterator[str]:
    """A trial is another matter (trial_is_small), and a group being deleted launches nothing."""
    if world.breaker.phase is Phase.TRIAL:
        return
    closed_at = _closed_at(world)
    ended = _failures_in_a_row(world, closed_at)
    limit = max(it.max_setup_failures for it in world.settings_so_far)
    if len(ended) < limit or world.group.deleting:
        return
    since = max(ended[limit - 1], world.answering_since, closed_at)
    if world.clock.now() <= since + BOUND_SECONDS:
        return
    if not world.group.is_suspended("Launch"):
        yield f"{len(ended)} setups failed in a row, and launching goes on"
    elif not world.alerts:
        yield "launching is suspended, and nobody was told"


def _closed_at(world: World) -> float:
    """Failures of setups that began before a person or a trial closed it do not count."""
    state = world.breaker
    by_itself = state.since.timestamp() if state.phase is Phase.CLOSED else 0.0
    return max(by_itself, world.resumed_at)


def _failures_in_a_row(world: World, since: float) -> list[float]:
    """When they ended, earliest first."""
    ended: list[float] = []
    for activity in setups(world, since):
        if activity.end_time is None:
            continue
        if activity.status_code == "Successful":
            break
        if ABANDONED in activity.status_message:
            ended.append(activity.end_time)
    return sorted(ended)
