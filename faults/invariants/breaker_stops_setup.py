"""9. Setup that fails again and again stops launching, and a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World

# Reconcile looks each minute; it may just have looked, and one look may fail.
BOUND_SECONDS = 150.0
ABANDONED = "Lifecycle Action with token"


def breaker_stops_setup(world: World) -> Iterator[str]:
    ended = _failures_in_a_row(world)
    limit = world.settings.max_setup_failures
    if len(ended) < limit:
        return
    since = max(ended[limit - 1], world.answering_since, world.resumed_at)
    if world.clock.now() <= since + BOUND_SECONDS:
        return
    if not world.group.is_suspended("Launch"):
        yield f"{len(ended)} setups failed in a row, and launching goes on"
    elif not world.alerts:
        yield "launching is suspended, and nobody was told"


def _failures_in_a_row(world: World) -> list[float]:
    """When they ended, earliest first; those that began before a person resumed do not count."""
    ended: list[float] = []
    for activity in world.group.records.log.newest_first():
        launches = activity.description.startswith("Launching")
        if not launches or "from warm pool" in activity.description or activity.end_time is None:
            continue
        if activity.status_code == "Successful" or activity.start_time <= world.resumed_at:
            break
        if ABANDONED in activity.status_message:
            ended.append(activity.end_time)
    return sorted(ended)
