"""The control loop: compares what there is with what should be, and begins what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol

from local.group.activities import Cause
from local.group.backoff import LaunchBackoff
from local.group.choice import choose_leaving
from local.group.instance import Instance
from local.group.journeys import Journeys
from local.group.latency import Delay
from local.group.members import Members
from local.group.ports import World
from local.group.records import Records
from local.group.settings import GroupSettings, Placement, WarmPool
from local.group.sizing import Plan, Surplus, plan
from local.group.states import (
    ENTER_POOL,
    LAUNCH,
    LEAVE_POOL,
    POOL_SETTLED,
    RETURN_TO_POOL,
    TERMINATE,
    TERMINATE_WARM,
    Transition,
)

STARTED = (
    "an instance was started in response to a difference between desired and actual capacity, "
    "increasing the capacity from {} to {}."
)
TAKEN_OUT = (
    "an instance was taken out of service in response to a difference between desired and actual "
    "capacity, shrinking the capacity from {} to {}.  "
    "{at} instance {} was selected for termination."
)


class Owner(Protocol):
    @property
    def settings(self) -> GroupSettings: ...

    @property
    def desired_capacity(self) -> int: ...

    @property
    def pool(self) -> WarmPool | None: ...

    @property
    def surplus(self) -> Surplus:
        """What an instance refresh wants meanwhile."""
        ...

    @property
    def request(self) -> Cause:
        """Who changed the group's capacity last, for the cause of activities."""
        ...

    @property
    def pool_request(self) -> Cause:
        """The same on who changed the size of the pool last."""
        ...

    def is_suspended(self, process: str) -> bool: ...

    def launched(self) -> None:
        """EC2 took a launch into the group."""


class Capacity:
    """Runs once for every change, a decision's delay after it; never polls."""

    def __init__(
        self, owner: Owner, world: World, members: Members, records: Records, journeys: Journeys
    ) -> None:
        self._owner = owner
        self._world = world
        self._members = members
        self._records = records
        self._journeys = journeys
        self._due = inf
        self._refused_at: dict[str, float] = {}
        self._protected_notice: int | None = None
        self.backoff = LaunchBackoff(
            world.latency(Delay.FIRST_BACKOFF), world.latency(Delay.LONGEST_BACKOFF)
        )

    def decide_after(self, delay: Delay) -> None:
        """Look at the group again, at the latest after this delay."""
        self._decide_at(self._world.schedule.now() + self._world.latency(delay))

    def stop(self) -> None:
        self._due = inf

    def launch_failed(self, begun_at: float) -> None:
        self.backoff.failed(begun_at, self._world.schedule.now())
        self.decide_after(Delay.REPLACEMENT)

    def zone_refused(self, zone: str) -> None:
        """Other zones are tried first for a while."""
        self._refused_at[zone] = self._world.schedule.now()

    def launch_succeeded(self, zone: str) -> None:
        self._refused_at.pop(zone, None)
        self.backoff.succeeded()

    def _decide_at(self, when: float) -> None:
        if when < self._due:
            self._due = when
            self._world.schedule.call_at(when, self._decide, when)

    def _decide(self, when: float) -> None:
        if when != self._due:
            return  # an earlier one was planned after this, or none is wanted any more
        self._due = inf
        owner = self._owner
        desired, largest = owner.desired_capacity, owner.settings.max_size
        moves = plan(self._members.census(), desired, largest, owner.pool, owner.surplus)
        if not owner.is_suspended("Terminate"):
            self._shrink(moves)
        if not owner.is_suspended("Launch"):
            self._grow(moves)

    def _grow(self, moves: Plan) -> None:
        if not moves.wake + moves.launch + moves.into_pool:
            return
        resumes_at = self.backoff.resumes_at()
        if self._world.schedule.now() < resumes_at:
            self._decide_at(resumes_at)
            return
        for _ in range(moves.wake):
            instance = self._members.next_to_wake()
            if instance is None:
                raise LookupError("the plan wakes more instances than rest in the pool")
            self._journeys.wake(instance, self._growth(LEAVE_POOL))
        self._launch(moves.launch, LAUNCH, self._members.active_in_zone)
        self._launch(moves.into_pool, ENTER_POOL, self._members.pooled_in_zone)

    def _launch(
        self, count: int, transition: Transition, size_of_zone: Callable[[str], int]
    ) -> None:
        for _ in range(count):
            placement = min(self._placements(), key=lambda place: size_of_zone(place.zone))
            if not self._journeys.launch(transition, placement, self._growth(transition)):
                return
            if transition is LAUNCH:
                self._owner.launched()

    def _placements(self) -> list[Placement]:
        """All that may be tried: zones that refused lately only when there is no other."""
        placements = self._owner.settings.placements
        since = self._world.schedule.now() - self._world.latency(Delay.LONGEST_BACKOFF)
        open_zones = [p for p in placements if self._refused_at.get(p.zone, since) <= since]
        if open_zones:
            return open_zones
        return sorted(placements, key=lambda place: self._refused_at[place.zone])[:1]

    def _shrink(self, moves: Plan) -> None:
        if moves.scale_in:
            self._scale_in(moves.scale_in)
        if moves.trim_pool:
            self._trim_pool(moves.trim_pool)
        self._notice_protection(moves.blocked_by_protection)

    def _scale_in(self, count: int) -> None:
        pool = self._owner.pool
        reuse = pool is not None and pool.reuse_on_scale_in and not pool.pending_delete
        transition = RETURN_TO_POOL if reuse else TERMINATE
        removable = self._members.removable.values()
        for instance in self._choose(removable, count, self._members.active_in_zone):
            self._journeys.leave(instance, transition, self._reduction(transition, instance))

    def _trim_pool(self, count: int) -> None:
        settled = self._members.within(POOL_SETTLED)
        for instance in self._choose(settled, count, self._members.pooled_in_zone):
            cause = self._reduction(TERMINATE_WARM, instance)
            self._journeys.leave(instance, TERMINATE_WARM, cause)

    def _choose(
        self, candidates: Iterable[Instance], count: int, size_of_zone: Callable[[str], int]
    ) -> list[Instance]:
        policies = self._owner.settings.termination_policies
        now = self._world.schedule.now()
        return choose_leaving(candidates, count, size_of_zone, policies, now)

    def _notice_protection(self, blocked: int) -> None:
        desired = self._owner.desired_capacity
        if not blocked:
            self._protected_notice = None
        elif self._protected_notice != desired:
            self._protected_notice = desired
            self._records.all_protected(self._owner.request)

    def _growth(self, transition: Transition) -> Cause:
        request, size = self._subject(warm=transition is ENTER_POOL)
        return Cause(self._records.now(), STARTED, (size, size + 1), request)

    def _reduction(self, transition: Transition, instance: Instance) -> Cause:
        request, size = self._subject(warm=transition is TERMINATE_WARM)
        values = (size, size - 1, instance.instance_id)
        return Cause(self._records.now(), TAKEN_OUT, values, request)

    def _subject(self, warm: bool) -> tuple[Cause, int]:
        """Who asked for a change of pool or group, and how many are in it."""
        if warm:
            return self._owner.pool_request, self._members.pool_active
        return self._owner.request, self._members.group_active
