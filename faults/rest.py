"""Whether a run has come to rest: everything done, everybody where they belong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from faults.deployment import warm_pool
from faults.invariants.jobs_are_kept import dead_letters_have_reasons
from local.group.instance import Instance
from local.group.sizing import pool_target
from local.group.states import LifecycleState
from pilotlight.fleet.breaker_state import Phase

if TYPE_CHECKING:
    from faults.world import World

_AT_REST = (LifecycleState.IN_SERVICE, LifecycleState.WARMED_STOPPED)


def unrest(world: World) -> Iterator[str]:
    """What keeps the world from being at rest, in words; nothing when it is."""
    if world.stack.is_deleted:
        yield from _undeleted(world)
        return
    yield from (f"{job_id} is not done" for job_id in world.ledger.unsettled())
    for queue in (world.jobs, world.lifecycle, world.results):
        if queue.messages:
            yield f"{len(queue.messages)} messages are in {queue.settings.name}"
    yield from _unsized(world)
    for instance in world.group.members:
        if instance.state not in _AT_REST:
            yield f"{instance.instance_id} is {instance.state}"
        elif instance.state is LifecycleState.IN_SERVICE and not _works(world, instance):
            yield f"{instance.instance_id} is in service and has no worker"
    yield from dead_letters_have_reasons(world)
    if world.stack.is_busy:
        yield "the stack is being updated"
    elif not world.tally["rollback_failed"]:
        old = world.stack.outdated()
        yield from (f"{it.instance_id} has an old launch template" for it in old)


def _undeleted(world: World) -> Iterator[str]:
    """Jobs that nobody has done stay in the queue, for whoever comes next."""
    if not world.stack.group_is_gone:
        yield "the stack is not deleted"
        yield from (f"{it.instance_id} is {it.state}" for it in world.group.members)
    yield from (f"{guest.instance_id} still runs" for guest in world.machines.alive())
    yield from (f"{it.message_id} is in flight" for it in world.jobs.in_flight())


def _unsized(world: World) -> Iterator[str]:
    group, settings = world.group, world.settings
    desired, suffice = group.desired_capacity, group.settings.min_size
    foresees = settings.target_wait_seconds < settings.start_seconds
    if desired != suffice and not foresees:
        yield f"{desired} instances are desired, and {suffice} suffice"
    if group.members.group_active != desired:
        yield f"{group.members.group_active} instances are active, and {desired} are desired"
    # While the breaker is open the pool is kept at what there was at the last wake, at times more
    # than is asked for. Were there fewer than that, a trial would be due.
    asked, largest = warm_pool(settings), group.settings.max_size
    resting = group.members.pool_settled
    least = pool_target(asked, largest, desired)
    most = max(least, pool_target(group.pool, largest, desired))
    if not least <= resting <= most:
        yield f"{resting} rest in the pool, and {least} to {most} should"
    is_closed = world.breaker.phase is Phase.CLOSED
    if is_closed and group.pool != asked:
        yield f"the pool is kept at {group.pool}, and {asked} was asked for"


def _works(world: World, instance: Instance) -> bool:
    guest = world.machines.guests.get(instance.instance_id)
    return guest is not None and guest.worker is not None
