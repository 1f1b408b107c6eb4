"""Which instances leave when there are too many: AWS's termination policies, made deterministic.

The zone with the most instances comes first whatever the policy (user guide,
ec2-auto-scaling-termination-policies). Where AWS draws at random, the oldest goes, then the lower
id.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from local.group.instance import Instance

TERMINATION_POLICIES = (
    "Default",
    "AllocationStrategy",
    "OldestLaunchTemplate",
    "OldestLaunchConfiguration",
    "OldestInstance",
    "NewestInstance",
    "ClosestToNextInstanceHour",
)


def _rank(policy: str, instance: Instance, now: float) -> float:
    """Lower leaves first."""
    if policy in ("Default", "OldestLaunchTemplate"):
        return instance.launched.template_version
    if policy == "NewestInstance":
        return -instance.launched_at
    if policy == "ClosestToNextInstanceHour":
        return -((now - instance.launched_at) % 3600)
    return instance.launched_at if policy == "OldestInstance" else 0.0


def choose_leaving(
    candidates: Iterable[Instance],
    count: int,
    size_of_zone: Callable[[str], int],
    policies: Sequence[str],
    now: float,
) -> list[Instance]:
    """At most `count` (1 or more) of the candidates, first to leave first; cost grows with the
    candidates."""
    candidates = list(candidates)
    if len(candidates) < 2:
        return candidates

    def order(instance: Instance) -> tuple[float | str, ...]:
        keys = [_rank(policy, instance, now) for policy in policies]
        return (*keys, instance.launched_at, instance.instance_id)

    by_zone: dict[str, list[Instance]] = defaultdict(list)
    for instance in sorted(candidates, key=order, reverse=True):
        by_zone[instance.zone].append(instance)
    fullest = [(-size_of_zone(zone), zone) for zone in by_zone]
    heapq.heapify(fullest)
    chosen: list[Instance] = []
    while fullest and len(chosen) < count:
        size, zone = heapq.heappop(fullest)
        chosen.append(by_zone[zone].pop())
        if by_zone[zone]:
            heapq.heappush(fullest, (size + 1, zone))
    return chosen
