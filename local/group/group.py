"""An Auto Scaling group with a warm pool: one model for the embedded AWS and for virtual time.

What AWS lets a person ask of a group is a method here. What follows from it happens later, on the
schedule: in `capacity` (how many), `journeys` (one instance), `health` and `actions`.
"""

from __future__ import annotations

from dataclasses import replace

from local.group.activities import KEPT_ACTIVITIES, Activity
from local.group.capacity import Capacity
from local.group.ec2_answers import Ec2Answers
from local.group.errors import (
    InstanceNotFoundError,
    LimitExceededError,
    ResourceInUseError,
    ScalingActivityInProgressError,
    ValidationError,
    WarmMemberError,
)
from local.group.health import USER_HEALTH_CHECK, Health
from local.group.instance import Instance
from local.group.journeys import Journeys
from local.group.latency import Delay
from local.group.members import Members
from local.group.ports import World
from local.group.records import Records
from local.group.refresh import Refreshes
from local.group.settings import GroupSettings, Hook, WarmPool
from local.group.sizing import Surplus, pool_room, pool_target
from local.group.states import (
    GROUP_ACTIVE,
    POOL_ACTIVE,
    TERMINATE,
    TERMINATE_WARM,
    LifecycleState,
    PoolState,
    is_warm,
)

MAX_HOOKS = 50
"""Per group (user guide, ec2-auto-scaling-quotas)."""

PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)


class Group:
    """Settings, members and open lifecycle actions of one group."""

    def __init__(
        self,
        name: str,
        arn: str,
        settings: GroupSettings,
        world: World,
        desired_capacity: int | None = None,
        hooks: tuple[Hook, ...] = (),
        kept_activities: int = KEPT_ACTIVITIES,
    ) -> None:
        self.name = name
        self.arn = arn
        self.settings = settings
        self.desired_capacity = settings.min_size if desired_capacity is None else desired_capacity
        self.pool: WarmPool | None = None
        self.hooks: dict[str, Hook] = {hook.name: hook for hook in hooks}
        self.suspended: dict[str, float] = {}
        self.deleting = False
        self._world = world
        self.members = Members()
        self.records = Records(name, arn, world, kept_activities)
        self.journeys = Journeys(self, world, self.members, self.records)
        self.health = Health(self, world, self.members, self.records, self.journeys)
        self.capacity = Capacity(self, world, self.members, self.records, self.journeys)
        self.refreshes = Refreshes(self, world, self.members, self.records, self.journeys)
        self.ec2 = Ec2Answers(self.members, self.journeys, self.health, self.capacity)
        _check_desired(self.desired_capacity, settings)
        self._changed("a user request created an AutoScalingGroup", 0, self.desired_capacity)
        self.capacity.decide_after(Delay.GROUP_DECISION)

    # What a person asks of the group

    def update(self, settings: GroupSettings, desired_capacity: int | None = None) -> None:
        """New bounds pull the desired capacity inside; an explicit one must lie inside."""
        before = self.desired_capacity
        if desired_capacity is None:
            desired_capacity = max(settings.min_size, min(before, settings.max_size))
        _check_desired(desired_capacity, settings)
        self.settings = settings
        self.desired_capacity = desired_capacity
        bounds = (
            f"a user request update of AutoScalingGroup constraints to min: {settings.min_size}, "
            f"max: {settings.max_size}, desired: {desired_capacity}"
        )
        self._changed(bounds, before, desired_capacity)
        self.capacity.decide_after(Delay.GROUP_DECISION)

    def set_desired_capacity(self, capacity: int) -> None:
        """Raises ValidationError outside of the bounds.

        Raises ScalingActivityInProgressError while the group is being deleted; AWS's answer then is
        not published, but a group that could grow would never be gone.
        """
        if self.deleting:
            raise ScalingActivityInProgressError("The Auto Scaling group is being deleted.")
        if capacity > self.settings.max_size:
            raise _outside(capacity, "above max", self.settings.max_size)
        if capacity < self.settings.min_size:
            raise _outside(capacity, "below min", self.settings.min_size)
        before, self.desired_capacity = self.desired_capacity, capacity
        act = "a user request explicitly set group desired capacity"
        self._changed(act, before, capacity)
        self.capacity.decide_after(Delay.GROUP_DECISION)

    def scale(self, capacity: int, trigger: str) -> None:
        """What a scaling policy does: `trigger` is the sentence that names it; bounds hold."""
        if self.deleting:
            return
        bounded = max(self.settings.min_size, min(capacity, self.settings.max_size))
        before, self.desired_capacity = self.desired_capacity, bounded
        self._changed(trigger, before, bounded)
        self.capacity.decide_after(Delay.GROUP_DECISION)

    def is_cooling_down(self, cooldown_seconds: float) -> bool:
        """Whether an activity is under way, or this cooldown after the last one is.

        It begins when the activity has ended (user guide, ec2-auto-scaling-scaling-cooldowns).
        """
        log = self.records.log
        if log.in_progress:
            return True
        return log.last_end is not None and self.records.now() < log.last_end + cooldown_seconds

    def check_cooldown(self, cooldown_seconds: float) -> None:
        """Raises ScalingActivityInProgressError."""
        if self.is_cooling_down(cooldown_seconds):
            raise ScalingActivityInProgressError(
                f"A scaling activity of AutoScalingGroup {self.name}, or the cooldown of "
                f"{cooldown_seconds:g} seconds after it, is in progress."
            )

    def put_warm_pool(self, pool: WarmPool) -> None:
        """Create the pool or replace its settings; settled members stay as they are.

        Raises InstanceRefreshInProgressError during an instance refresh (API reference).
        """
        self.refreshes.refuse_while_active()
        if self.pool is not None and self.pool.pending_delete:
            raise ValidationError(
                f"The warm pool of AutoScalingGroup {self.name} is being deleted."
            )
        before, self.pool = self.members.pool_active, pool
        prepared = pool.max_group_prepared_capacity
        self.pool_request = self.records.at(
            "a user request put a new WarmPool with MinSize: {} and MaxGroupPreparedCapacity: {} "
            "changing the capacity of WarmPool from {} to {}.",
            pool.min_size,
            "null" if prepared is None else prepared,
            before,
            self.pool_target,
        )
        self.capacity.decide_after(Delay.POOL_DECISION)

    def delete_warm_pool(self, force: bool) -> None:
        """With members in it: ResourceInUseError, or by force each passes its terminate hook."""
        if self.pool is None:
            raise ValidationError(f"No warm pool found for AutoScalingGroup '{self.name}'.")
        if self.members.pool_total and not force:
            raise ResourceInUseError(
                f"The warm pool of AutoScalingGroup {self.name} still has instances: use "
                "ForceDelete to terminate them with it."
            )
        self.pool = replace(
            self.pool, pending_delete=True, min_size=0, max_group_prepared_capacity=0
        )
        cause = self.records.at("a user request deleted the WarmPool.")
        for instance in self.members.within(POOL_ACTIVE):
            self.journeys.leave(instance, TERMINATE_WARM, cause)
        self._forget_empty_pool()

    def put_hook(self, hook: Hook) -> None:
        """Create or replace; open actions keep the hook that opened them."""
        if hook.name not in self.hooks and len(self.hooks) >= MAX_HOOKS:
            raise LimitExceededError(f"AutoScalingGroup {self.name} has {MAX_HOOKS} hooks already.")
        self.hooks[hook.name] = hook

    def delete_hook(self, name: str) -> None:
        """Open actions are completed first (API reference, DeleteLifecycleHook)."""
        hook = self.hooks.pop(name, None)
        if hook is None:
            raise ValidationError(f"No Lifecycle Hook found with name '{name}'.")
        self.journeys.actions.complete_all_of(hook)

    def set_instance_protection(self, instance_ids: list[str], protected: bool) -> None:
        """All or none; protection is for members in service."""
        instances = [self.member(instance_id) for instance_id in instance_ids]
        for instance in instances:
            if instance.state is not LifecycleState.IN_SERVICE:
                raise ValidationError(
                    f"The instance {instance.instance_id} is not in InService or EnteringStandby "
                    "or Standby."
                )
        for instance in instances:
            self.members.protect(instance, protected)
        if not protected:
            self.capacity.decide_after(Delay.GROUP_DECISION)

    def set_instance_health(self, instance_id: str, healthy: bool, respect_grace: bool) -> None:
        """Within its grace period an instance in service stays healthy if that is respected."""
        instance = self.member(instance_id)
        if healthy:
            instance.unhealthy_cause = None
            return
        grace = self.settings.health_check_grace_period_seconds
        since = instance.in_service_at
        in_grace = since is not None and self.records.now() < since + grace
        if respect_grace and in_grace and instance.state is LifecycleState.IN_SERVICE:
            return
        self.health.report(instance, USER_HEALTH_CHECK)

    def terminate_instance(self, instance_id: str, decrement: bool) -> Activity:
        """End a member of the group whatever its protection; it does not return to the pool."""
        instance = self.member(instance_id)
        if is_warm(instance.state):
            raise WarmMemberError(
                "TerminateInstanceInAutoScalingGroup", instance_id, instance.state.value
            )
        if instance.state not in GROUP_ACTIVE:
            raise ValidationError(
                f"Instance {instance_id} is in state {instance.state.value} and cannot be "
                "terminated."
            )
        size, lowered = self.desired_capacity, ""
        if decrement:
            self._check_decrement()
            self.desired_capacity -= 1
            lowered = f", shrinking the capacity from {size} to {size - 1}"
        text = "instance {} was taken out of service in response to a user request{}."
        cause = self.records.at(text, instance_id, lowered)
        self.journeys.leave(instance, TERMINATE, cause)
        self.member_leaving()
        return instance.activity

    def suspend(self, processes: tuple[str, ...]) -> None:
        """No process named means all of them."""
        for process in _known(processes):
            self.suspended.setdefault(process, self.records.now())

    def resume(self, processes: tuple[str, ...]) -> None:
        for process in _known(processes):
            self.suspended.pop(process, None)
        self.health.check_all()
        self.capacity.decide_after(Delay.GROUP_DECISION)

    def delete(self, force: bool) -> None:
        """With members: ResourceInUseError, or by force they leave through their hooks."""
        if len(self.members) and not force:
            raise ResourceInUseError(
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
                "instance request(s) still in the group."
            )
        self.deleting = True
        self.refreshes.stop()
        self.desired_capacity = 0
        self.capacity.stop()
        cause = self.records.at("a user request force-deleted the AutoScalingGroup.")
        for instance in self.members.within(GROUP_ACTIVE):
            self.journeys.leave(instance, TERMINATE, cause)
        for instance in self.members.within(POOL_ACTIVE):
            self.journeys.leave(instance, TERMINATE_WARM, cause)
        self._say_when_gone()

    # What there is to know

    @property
    def pool_target(self) -> int:
        """WarmPoolDesiredCapacity."""
        return pool_target(self.pool, self.settings.max_size, self.desired_capacity)

    @property
    def pool_room(self) -> int:
        """How much of its target the pool can have by now."""
        total = self.members.group_total
        return pool_room(self.pool, self.settings.max_size, self.desired_capacity, total)

    @property
    def surplus(self) -> Surplus:
        return self.refreshes.surplus

    @property
    def pool_state(self) -> PoolState:
        return self.pool.pool_state if self.pool else PoolState.STOPPED

    def is_suspended(self, process: str) -> bool:
        return process in self.suspended

    def member(self, instance_id: str) -> Instance:
        """Raises InstanceNotFoundError."""
        instance = self.members.get(instance_id)
        if instance is None:
            raise InstanceNotFoundError(instance_id)
        return instance

    # What its parts tell

    def arrived(self, instance: Instance) -> None:
        if instance.transition.joins:
            protected = self.settings.new_instances_protected_from_scale_in
            self.members.protect(instance, protected)
        if instance.transition.launches:
            self.capacity.launch_succeeded(instance.zone)
        self.health.check(instance)
        members = self.members
        missing = self.desired_capacity - members.group_active
        if missing or members.pool_active != self.pool_target:
            self.capacity.decide_after(Delay.REPLACEMENT)

    def launched(self) -> None:
        self.refreshes.launched()

    def launch_failed(self, begun_at: float) -> None:
        self.capacity.launch_failed(begun_at)

    def zone_refused(self, zone: str) -> None:
        self.capacity.zone_refused(zone)

    def member_leaving(self) -> None:
        self.capacity.decide_after(Delay.REPLACEMENT)

    def member_gone(self) -> None:
        self._forget_empty_pool()
        if self.deleting:
            self._say_when_gone()
        else:
            self.capacity.decide_after(Delay.REPLACEMENT)

    def _forget_empty_pool(self) -> None:
        if self.pool and self.pool.pending_delete and not self.members.pool_total:
            self.pool = None

    def _say_when_gone(self) -> None:
        if not len(self.members):
            self._world.listener.group_gone(self.name)

    def _check_decrement(self) -> None:
        size = self.settings.min_size
        if self.desired_capacity <= size:
            raise ValidationError(
                f"Currently, desiredSize equals minSize ({size}). Terminating instance without "
                "replacement will violate group's min size constraint. Either set "
                "shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )

    def _changed(self, act: str, before: int, after: int) -> None:
        text = "{} changing the desired capacity from {} to {}."
        self.request = self.pool_request = self.records.at(text, act, before, after)


def _outside(capacity: int, word: str, bound: int) -> ValidationError:
    return ValidationError(
        f"New SetDesiredCapacity value {capacity} is {word} value {bound} for the AutoScalingGroup."
    )


def _check_desired(capacity: int, settings: GroupSettings) -> None:
    if not settings.min_size <= capacity <= settings.max_size:
        raise ValidationError(
            f"Desired capacity:{capacity} must be between the specified min "
            f"size:{settings.min_size} and max size:{settings.max_size}"
        )


def _known(processes: tuple[str, ...]) -> tuple[str, ...]:
    for process in processes:
        if process not in PROCESSES:
            raise ValidationError(
                f"Invalid scaling process {process}: must be one of {', '.join(PROCESSES)}."
            )
    return processes or PROCESSES
