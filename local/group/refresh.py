"""Instance refreshes of one group: outdated instances are replaced, those of the pool last.

User guide, instance-refresh-overview: in batches, in service before pool; what is launched is given
time for its hooks and to warm up; with nothing replaced for an hour it fails; with Launch or
Terminate suspended nothing is replaced (understand-how-suspending-processes-affects-other-
processes). AWS does not say whether that hour runs on meanwhile, whom it takes first, nor whether a
replacement may come from the pool. Here the hour runs on, the oldest member goes first, and what
makes up for an instance taken out is launched, as sleepers are mostly as outdated as that one; what
is missing for other reasons is woken as ever. Nothing may rest on these four.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from local.group.errors import ActiveInstanceRefreshNotFoundError, InstanceRefreshInProgressError
from local.group.instance import Instance
from local.group.journeys import Journeys
from local.group.latency import Delay
from local.group.members import Members
from local.group.ports import World
from local.group.records import Records
from local.group.refresh_places import is_leaving, live_place, pool_place
from local.group.refresh_record import (
    InstanceRefresh,
    Place,
    RefreshPreferences,
    RefreshStatus,
    Skips,
    next_step,
    progress,
)
from local.group.sizing import NO_SURPLUS, Surplus
from local.group.states import (
    GROUP_ACTIVE,
    POOL_ACTIVE,
    TERMINATE,
    TERMINATE_WARM,
    Transition,
)

PATIENCE_SECONDS = 3600.0
"""With nothing replaced for so long it fails: a rule, and no time that AWS takes, so it is the same
at every speed."""
KEPT_REFRESHES = 50
"""AWS keeps six weeks of them; here the newest ones are kept, by number."""
TAKEN_OUT = (
    "an instance was taken out of service in response to an instance refresh.  "
    "{at} instance {} was selected for termination."
)


class Owner(Protocol):
    @property
    def desired_capacity(self) -> int: ...

    @property
    def pool_room(self) -> int:
        """How many the pool can have by now."""
        ...

    def is_suspended(self, process: str) -> bool: ...

    def member_leaving(self) -> None:
        """A member counts no more, or more are wanted; something may have to be launched."""


class Refreshes:
    """At most one is in progress; it looks at the group again and again until it is over.

    `surplus` is what it wants beyond the group's own sizes.
    """

    def __init__(
        self, owner: Owner, world: World, members: Members, records: Records, journeys: Journeys
    ) -> None:
        self._owner = owner
        self._world = world
        self._members = members
        self._records = records
        self._journeys = journeys
        self._kept: deque[InstanceRefresh] = deque(maxlen=KEPT_REFRESHES)
        self.active: InstanceRefresh | None = None
        self.surplus = NO_SURPLUS

    def newest_first(self) -> Iterable[InstanceRefresh]:
        return reversed(self._kept)

    def refuse_while_active(self) -> None:
        """Raises InstanceRefreshInProgressError."""
        if self.active is not None:
            raise InstanceRefreshInProgressError("An active instance refresh exists for the group.")

    def start(
        self,
        preferences: RefreshPreferences,
        skips: Skips,
        ended: Callable[[InstanceRefresh], None],
    ) -> InstanceRefresh:
        """Of all members that are not skipped, but for those that leave already.

        Raises InstanceRefreshInProgressError while another one is active.
        """
        self.refuse_while_active()
        live = [it for it in self._members.within(GROUP_ACTIVE) if not skips(it.launched)]
        pool = [it for it in self._members.within(POOL_ACTIVE) if not skips(it.launched)]
        refresh = InstanceRefresh(
            refresh_id=self._world.ids.token(),
            preferences=preferences,
            start_time=self._records.now(),
            outdated=frozenset(it.instance_id for it in (*live, *pool)),
            live_total=len(live),
            pool_total=len(pool),
            ended=ended,
        )
        self._kept.append(refresh)
        self.active = refresh
        self._look_later(refresh)
        return refresh

    def cancel(self, wait: bool) -> InstanceRefresh:
        """Replaces nothing more; `wait` for what is on its way in or out before it is Cancelled.

        Raises ActiveInstanceRefreshNotFoundError.
        """
        refresh = self.active
        if refresh is None:
            raise ActiveInstanceRefreshNotFoundError(
                "No in progress or pending Instance Refresh found for the group."
            )
        self._want(NO_SURPLUS)
        refresh.status = RefreshStatus.CANCELLING
        if not wait:
            self._end(refresh, RefreshStatus.CANCELLED)
        return refresh

    def stop(self) -> None:
        """The group is being deleted."""
        if self.active is not None:
            self.cancel(wait=False)

    def launched(self) -> None:
        """An instance was launched into the group; it may be a replacement."""
        if self.surplus.anew:
            self.surplus = self.surplus._replace(anew=self.surplus.anew - 1)

    def _look(self, refresh: InstanceRefresh) -> None:
        if refresh is not self.active:
            return
        if refresh.status is RefreshStatus.PENDING:
            refresh.status = RefreshStatus.IN_PROGRESS
            self._records.refresh_changed(refresh.refresh_id, "Started")
        if refresh.status is RefreshStatus.CANCELLING:
            self._await_transitions(refresh)
        else:
            self._advance(refresh)
        if refresh is self.active:
            self._look_later(refresh)

    def _await_transitions(self, refresh: InstanceRefresh) -> None:
        members = self._members
        if len(members) == members.in_service + members.pool_settled:
            self._end(refresh, RefreshStatus.CANCELLED)

    def _advance(self, refresh: InstanceRefresh) -> None:
        owner, now = self._owner, self._records.now()
        live = live_place(self._members, owner.desired_capacity, refresh, now)
        pool = pool_place(self._members, owner.pool_room, refresh)
        self._note_progress(refresh, live, pool)
        if is_leaving(self._members, refresh):
            refresh.progressed_at = now
        elif live.is_done and pool.is_done:
            self._end(refresh, RefreshStatus.SUCCESSFUL)
            return
        if owner.is_suspended("InstanceRefresh"):
            refresh.progressed_at = now  # paused, not cancelled (same page of the guide)
        elif now >= refresh.progressed_at + PATIENCE_SECONDS:
            self._end(refresh, RefreshStatus.FAILED, _why(live, pool))
        elif not (owner.is_suspended("Launch") or owner.is_suspended("Terminate")):
            self._replace(refresh, live, pool)

    def _replace(self, refresh: InstanceRefresh, live: Place, pool: Place) -> None:
        if live.is_done:
            step = next_step(pool, refresh.preferences)
            self._take_out(step.take, TERMINATE_WARM)
            self._want(Surplus(pool=step.ahead))
            return
        step = next_step(live, refresh.preferences)
        self._take_out(step.take, TERMINATE)
        owed = self.surplus.anew + len(step.take) + step.ahead - self.surplus.group
        missing = self._owner.desired_capacity + step.ahead - self._members.group_active
        self._want(Surplus(group=step.ahead, anew=max(0, min(owed, missing))))

    def _take_out(self, instances: Iterable[Instance], transition: Transition) -> None:
        for instance in instances:
            cause = self._records.at(TAKEN_OUT, instance.instance_id)
            self._journeys.leave(instance, transition, cause)
            self._owner.member_leaving()

    def _want(self, surplus: Surplus) -> None:
        if surplus != self.surplus:
            self.surplus = surplus
            self._owner.member_leaving()

    def _note_progress(self, refresh: InstanceRefresh, live: Place, pool: Place) -> None:
        refresh.live = progress(refresh.live_total, live.to_update)
        refresh.pool = progress(refresh.pool_total, pool.to_update)
        outdated, ready = live.outdated + pool.outdated, live.ready + pool.ready
        if outdated < refresh.least_outdated or ready > refresh.most_ready:
            refresh.progressed_at = self._records.now()
            refresh.least_outdated, refresh.most_ready = outdated, ready

    def _end(
        self, refresh: InstanceRefresh, status: RefreshStatus, reason: str | None = None
    ) -> None:
        refresh.status, refresh.status_reason = status, reason
        refresh.end_time = self._records.now()
        self.active = None
        self._want(NO_SURPLUS)
        verb = "Succeeded" if status is RefreshStatus.SUCCESSFUL else status.value
        self._records.refresh_changed(refresh.refresh_id, verb)
        refresh.ended(refresh)

    def _look_later(self, refresh: InstanceRefresh) -> None:
        when = self._records.now() + self._world.latency(Delay.REFRESH_LOOK)
        self._world.schedule.call_at(when, self._look, refresh)


def _why(live: Place, pool: Place) -> str:
    """AWS publishes no words for these."""
    if live.outdated > len(live.free):
        return "Waited an hour for instances to be no longer protected from scale-in."
    if live.ready < live.size or pool.ready < pool.size:
        return "Waited an hour for new instances to pass their hooks and health checks."
    return "Waited an hour for instances that could be replaced."
