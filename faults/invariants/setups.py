"""What the group's activities tell of its setups, for the invariants about them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from local.group.activities import Activity

if TYPE_CHECKING:
    from faults.world import World


def setups(world: World, since: float) -> Iterator[Activity]:
    """Newest first, without wakes, and without what EC2 refused."""
    for activity in world.group.records.log.newest_first():
        if activity.start_time <= since:
            return
        text = activity.description
        is_launch = text.startswith("Launching") and "from warm pool" not in text
        if is_launch and "Status Reason" not in text:
            yield activity


def lost(world: World, since: float) -> int:
    """What leaves meanwhile is replaced; an instance that cannot be woken is terminated."""
    log = takewhile(lambda it: it.start_time > since, world.group.records.log.newest_first())
    return sum(activity.description.startswith("Terminating") for activity in log)
