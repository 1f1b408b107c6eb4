"""Operations on the warm pool of a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.group.group import Group
from local.group.settings import WarmPool
from local.group.states import POOL_ACTIVE, POOL_LEAVING, PoolState
from local.services.autoscaling_service import AutoScalingService, instance_fields, page

Request = Mapping[str, Any]

UNSET_PREPARED_CAPACITY = -1
"""MaxGroupPreparedCapacity of this value goes back to the group's MaxSize (API reference)."""


def put_warm_pool(service: AutoScalingService, request: Request) -> Request:
    """What the request leaves out keeps its earlier value (recorded from the live service)."""
    group = service.group(request["AutoScalingGroupName"])
    pool = group.pool or WarmPool()
    if "MinSize" in request:
        pool = replace(pool, min_size=request["MinSize"])
    if "MaxGroupPreparedCapacity" in request:
        prepared = request["MaxGroupPreparedCapacity"]
        unset = prepared == UNSET_PREPARED_CAPACITY
        pool = replace(pool, max_group_prepared_capacity=None if unset else prepared)
    if "PoolState" in request:
        pool = replace(pool, pool_state=PoolState(request["PoolState"]))
    reuse = request.get("InstanceReusePolicy", {}).get("ReuseOnScaleIn")
    if reuse is not None:
        pool = replace(pool, reuse_on_scale_in=reuse)
    group.put_warm_pool(pool)
    return {}


def describe_warm_pool(service: AutoScalingService, request: Request) -> Request:
    record = service.record(request["AutoScalingGroupName"])
    members = record.group.members.within((*POOL_ACTIVE, *POOL_LEAVING))
    configuration = pool_fields(record.group).get("WarmPoolConfiguration")
    answer = page(members, request, 50, "Instances")
    described = [instance_fields(record, instance) for instance in answer["Instances"]]
    return answer | {"Instances": described, "WarmPoolConfiguration": configuration}


def delete_warm_pool(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    group.delete_warm_pool(request.get("ForceDelete", False))
    return {}


def pool_fields(group: Group) -> dict[str, Any]:
    """What DescribeAutoScalingGroups says of the pool; nothing when there is none."""
    pool = group.pool
    if pool is None:
        return {}
    return {
        "WarmPoolConfiguration": {
            "MaxGroupPreparedCapacity": pool.max_group_prepared_capacity,
            "MinSize": pool.min_size,
            "PoolState": pool.pool_state.value,
            "Status": "PendingDelete" if pool.pending_delete else None,
            "InstanceReusePolicy": {"ReuseOnScaleIn": pool.reuse_on_scale_in},
        },
        "WarmPoolSize": group.members.pool_total,
    }
