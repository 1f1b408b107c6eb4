"""12. No launch is abandoned while its instance is well and still has time for its setup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.guest import Guest
    from faults.world import World

# After these nobody can know that the instance is well.
EXCUSES = frozenset({"agent_gone", "disk_full", "agent_registers_late", "setup_slow"})


# Heartbeats need an AWS that answers: in some runs the hook waits four minutes for the next one.
REACHED_SECONDS = 240.0


def healthy_are_kept(world: World) -> Iterator[str]:
    heard = world.heard
    abandoned, heard.abandoned = heard.abandoned, []
    for instance_id in abandoned:
        guest = world.machines.guests.get(instance_id)
        if guest is not None and _is_well(world, guest):
            yield f"{instance_id} was well, and its launch was abandoned"


def _is_well(world: World, guest: Guest) -> bool:
    fate_is_good = guest.fate.setup == "works" and guest.fate.registers
    works = fate_is_good and guest.setup_state != "failed" and not guest.worker_is_broken
    age = world.clock.now() - guest.launched_at
    has_time = age < world.plan.settings.setup_timeout_seconds
    reached = world.clock.now() > world.answering_since + REACHED_SECONDS
    excused = not EXCUSES.isdisjoint(world.tally)
    return works and guest.powered and has_time and reached and not excused
