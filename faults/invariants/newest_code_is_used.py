"""15. A worker that starts works with the newest code there is, unless that cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World

# After these a worker goes on with the code that it has.
EXCUSES = frozenset(
    {
        "call_throttled",
        "call_broken",
        "call_unreached",
        "call_answer_lost",
        "call_stalls",
        "s3_away",
        "disk_full",
    }
)


def newest_code_is_used(world: World) -> Iterator[str]:
    codes, world.codes_in_use = world.codes_in_use, []
    if not EXCUSES.isdisjoint(world.tally):
        return
    for it in codes:
        if min(it.used) < it.newest:
            yield f"{it.instance_id} works with version {min(it.used)} of the code of {it.newest}"
