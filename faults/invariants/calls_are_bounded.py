"""8. The control plane is called so often a minute, and so often for each move of an instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World

# Reconcile: what it reads of the group and the queue, and the ticks; pages and repeats included.
EACH_MINUTE = 14
EACH_TICK = 4
# An event, its command, its result and the answer; asked every RetrySeconds while not registered.
EACH_MOVE = 60
EACH_FAULT = 40
AT_FIRST = 100


def calls_are_bounded(world: World) -> Iterator[str]:
    minutes = world.since_start() / 60.0
    pauses = [it.watch_seconds for it in world.settings_so_far if it.watch_seconds]
    ticks = minutes * 60.0 / min(pauses) if pauses else 0.0
    allowed = (
        AT_FIRST
        + EACH_MINUTE * minutes
        + EACH_TICK * ticks
        + EACH_MOVE * world.heard.moves
        + EACH_FAULT * len(world.plan.faults)
    )
    called = sum(number for (who, _), number in world.calls.items() if who == "functions")
    if called > allowed:
        yield f"functions made {called} calls in {minutes:.0f} minutes: the bound is {allowed:.0f}"
