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
    """What is launched while it is open is another matter (open_breaker_launches_nothing,
    trial_is_small), and a group being deleted launches nothing."""
    if world.breaker.phase not in (Phase.CLOSED, Phase.CLOSING):
        if not world.alerts:
            yield "launching is suspended, and nobody was told"
        return
    closed_at = _closed_at(world)
    ended = _failures_in_a_row(world, closed_at)
    limit = max(it.max_setup_failures for it in world.settings_so_far)
    if len(ended) < limit or world.group.deleting:
        return
    since = max(ended[limit - 1], world.answering_since, closed_at)
    if world.clock.now() <= since + BOUND_SECONDS:
        return
    yield f"{len(ended)} setups failed in a row, and launching goes on"


def _closed_at(world: World) -> float:
    """Failures of setups that began before a person or a trial closed it do not count."""
    state = world.breaker
    return max(state.since.timestamp(), world.person.closed_breaker_at or 0.0)


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
