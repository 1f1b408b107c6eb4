"""The group metrics that Auto Scaling sends to CloudWatch each minute, from the group's counts.

Names from the user guide, ec2-auto-scaling-metrics. Warm gauges are 0 without a pool, and
GroupTotalInstances leaves warm members out (recorded from the live service).
"""

from __future__ import annotations

from local.group.group import Group
from local.group.states import (
    GROUP_ACTIVE,
    GROUP_LEAVING,
    POOL_ACTIVE,
    POOL_LEAVING,
    POOL_SETTLED,
    LifecycleState,
)

GROUP_METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
    "GroupInServiceCapacity",
    "GroupPendingCapacity",
    "GroupStandbyCapacity",
    "GroupTerminatingCapacity",
    "GroupTotalCapacity",
    "WarmPoolMinSize",
    "WarmPoolDesiredCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)

_PENDING = tuple(state for state in GROUP_ACTIVE if state is not LifecycleState.IN_SERVICE)
_WARMED_PENDING = tuple(state for state in POOL_ACTIVE if state not in POOL_SETTLED)


def group_metrics(group: Group) -> dict[str, int]:
    """Every metric by name; unit None."""
    count = group.members.count
    in_service, pending = count((LifecycleState.IN_SERVICE,)), count(_PENDING)
    leaving, total = count(GROUP_LEAVING), group.members.group_total
    pool_target, pool_total = group.pool_target, group.members.pool_total
    settings = group.settings
    counted = (
        *(settings.min_size, settings.max_size, group.desired_capacity),
        *(in_service, pending, 0, leaving, total),
        *(in_service, pending, 0, leaving, total),
        *(group.pool.min_size if group.pool else 0, pool_target),
        *(count(_WARMED_PENDING), count(POOL_LEAVING), count(POOL_SETTLED), pool_total),
        *(group.desired_capacity + pool_target, total + pool_total),
    )
    return dict(zip(GROUP_METRICS, counted, strict=True))
