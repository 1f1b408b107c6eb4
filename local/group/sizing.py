"""How many instances should go where: pure, from counts alone."""

from __future__ import annotations

from typing import NamedTuple

from local.group.settings import WarmPool


class Census(NamedTuple):
    """How many there are.

    `group_active` launches or serves, `group_total` counts those leaving too; `removable` is in
    service and unprotected. `pool_active` enters the pool or rests there, `pool_settled` rests.
    """

    group_active: int
    group_total: int
    in_service: int
    removable: int
    pool_active: int
    pool_settled: int


class Surplus(NamedTuple):
    """What an instance refresh wants beyond desired capacity and the pool's target: more instances
    in `group` and `pool` while it launches before it terminates, and so many of what the group
    lacks launched `anew` instead of woken."""

    group: int = 0
    pool: int = 0
    anew: int = 0


NO_SURPLUS = Surplus()


class Plan(NamedTuple):
    """How many to move each way now; `blocked_by_protection` is what could not leave, and will
    not be able to when those still launching have arrived."""

    wake: int = 0
    launch: int = 0
    scale_in: int = 0
    into_pool: int = 0
    trim_pool: int = 0
    blocked_by_protection: int = 0


NO_MOVES = Plan()


def prepared_capacity(pool: WarmPool, max_size: int) -> int:
    """MaxGroupPreparedCapacity, or MaxSize when it is not set."""
    prepared = pool.max_group_prepared_capacity
    return max_size if prepared is None else prepared


def pool_target(pool: WarmPool | None, max_size: int, desired: int) -> int:
    """max(MinSize, (MaxGroupPreparedCapacity or MaxSize) - desired): WarmPoolDesiredCapacity
    (user guide, ec2-auto-scaling-metrics; API reference, PutWarmPool)."""
    if pool is None or pool.pending_delete:
        return 0
    return max(pool.min_size, prepared_capacity(pool, max_size) - desired)


def pool_room(pool: WarmPool | None, max_size: int, desired: int, group_total: int) -> int:
    """How many the pool can have by now: its target, less those in the group beyond `desired`,
    which count as prepared in every state but Terminated."""
    return pool_target(pool, max_size, max(desired, group_total))


def plan(
    census: Census,
    desired: int,
    max_size: int,
    pool: WarmPool | None,
    surplus: Surplus = NO_SURPLUS,
) -> Plan:
    """What brings the group to `desired` and the pool to its target, and both to their surplus.

    A member that the group is about to wake is not trimmed, one that is about to return is not
    launched anew, and the pool refills only when the group's leavers are gone, since they count
    as prepared capacity in every state but Terminated.
    """
    wanted = desired + surplus.group
    target = pool_target(pool, max_size, desired) + surplus.pool
    if census.group_active == wanted and census.pool_active == target:
        return NO_MOVES
    missing = max(0, wanted - census.group_active)
    excess = max(0, census.group_active - wanted)
    wakeable = census.pool_settled if pool and not pool.pending_delete else 0
    wake = min(max(0, missing - surplus.anew), wakeable)
    scale_in = min(excess, census.removable)
    launching = census.group_active - census.in_service
    into_pool = trim_pool = 0
    if pool and not pool.pending_delete:
        returning = scale_in if pool.reuse_on_scale_in else 0
        pool_after = census.pool_active - wake + returning
        if pool_after < target:
            group_after = census.group_total + missing - returning
            prepared = prepared_capacity(pool, max_size)
            room = max(pool.min_size, prepared - group_after) + surplus.pool - pool_after
            into_pool = max(0, min(target - pool_after, room))
        else:
            trim_pool = min(pool_after - target, census.pool_settled - wake)
    return Plan(
        wake=wake,
        launch=missing - wake,
        scale_in=scale_in,
        into_pool=into_pool,
        trim_pool=trim_pool,
        blocked_by_protection=max(0, excess - scale_in - launching),
    )
