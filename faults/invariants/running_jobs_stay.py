"""2. No instance is chosen for scale-in while a job runs on it, nor let go amid its drain.

An instance that leaves for another reason, being unhealthy, gives its jobs the time to finish.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World

# After these nobody can ask the worker whether jobs run on it.
EXCUSES = frozenset({"agent_gone", "worker_hangs", "worker_killed", "clock_skewed"})
SCALE_IN = "was selected for termination"  # in the cause of the activity, as AWS words it


def running_jobs_stay(world: World) -> Iterator[str]:
    heard, api = world.heard, world.auto_scaling
    leavings, heard.leavings = heard.leavings, []
    cut_short, api.cut_short = api.cut_short, []
    if EXCUSES.isdisjoint(world.tally):
        yield from (f"{it} is let go with jobs that may still run" for it in cut_short)
    for leaving in leavings:
        if leaving.busy and SCALE_IN in leaving.cause:
            yield f"{leaving.instance_id} leaves by scale-in with {leaving.busy} running jobs"
