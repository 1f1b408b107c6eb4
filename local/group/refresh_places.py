"""What an instance refresh sees of the group and of its pool."""

from __future__ import annotations

from collections.abc import Iterable

from local.group.members import Members
from local.group.refresh_record import InstanceRefresh, Place, ScaleInProtected
from local.group.states import (
    GROUP_ACTIVE,
    GROUP_LEAVING,
    POOL_ACTIVE,
    POOL_LEAVING,
    POOL_SETTLED,
    LifecycleState,
)


def live_place(members: Members, size: int, refresh: InstanceRefresh, now: float) -> Place:
    """A new instance is ready when it has warmed up, which begins when it is in service."""
    preferences = refresh.preferences
    serving = members.within((LifecycleState.IN_SERVICE,))
    old = [it for it in serving if it.instance_id in refresh.outdated]
    protection = preferences.scale_in_protected
    free = [it for it in old if protection is ScaleInProtected.REFRESH or not it.protected]
    ignored = len(old) - len(free) if protection is ScaleInProtected.IGNORE else 0
    warm_since = now - preferences.instance_warmup_seconds
    ready = sum(
        it.healthy and (it.instance_id in refresh.outdated or (it.in_service_at or 0) <= warm_since)
        for it in serving
    )
    outdated = _outdated(members, refresh, GROUP_ACTIVE) - ignored
    return Place(size, ready, outdated, tuple(free))


def pool_place(members: Members, size: int, refresh: InstanceRefresh) -> Place:
    """What enters the pool is waited for, and replaced when it rests there."""
    settled = members.within(POOL_SETTLED)
    free = tuple(it for it in settled if it.instance_id in refresh.outdated)
    return Place(size, len(settled), _outdated(members, refresh, POOL_ACTIVE), free)


def is_leaving(members: Members, refresh: InstanceRefresh) -> bool:
    """Whether one that was taken out still passes its hook, or EC2 still ends it."""
    return _outdated(members, refresh, (*GROUP_LEAVING, *POOL_LEAVING)) > 0


def _outdated(members: Members, refresh: InstanceRefresh, states: Iterable[LifecycleState]) -> int:
    return sum(it.instance_id in refresh.outdated for it in members.within(states))
