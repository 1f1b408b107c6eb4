"""2. No instance is chosen for scale-in while a job runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World

SCALE_IN = "was selected for termination"  # in the cause of the activity, as AWS words it


def running_jobs_stay(world: World) -> Iterator[str]:
    leavings, world.leavings = world.leavings, []
    for leaving in leavings:
        if leaving.busy and SCALE_IN in leaving.cause:
            yield f"{leaving.instance_id} leaves by scale-in with {leaving.busy} running jobs"
