"""One instance on its way: launch or leave, pause for the hooks, proceed, arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from local.group.actions import LifecycleAction, LifecycleActions
from local.group.activities import MID_LAUNCH, MID_TERMINATION, Cause
from local.group.instance import (
    PENDING,
    RUNNING,
    SHUTTING_DOWN,
    STOPPED,
    STOPPING,
    TERMINATED,
    Instance,
)
from local.group.latency import Delay
from local.group.members import Members
from local.group.ports import LaunchError, World
from local.group.records import Records
from local.group.settings import ABANDON, Hook, Placement
from local.group.states import (
    LEAVE_POOL,
    TERMINATE,
    TERMINATE_WARM,
    LifecycleState,
    PoolState,
    Transition,
    is_warm,
    target_state,
)


class Owner(Protocol):
    """The group, as the journeys of its instances see it."""

    @property
    def hooks(self) -> Mapping[str, Hook]: ...

    @property
    def pool_state(self) -> PoolState: ...

    def launch_failed(self, begun_at: float) -> None:
        """A launch or wake came to nothing; the instance, if any, is on its way out."""

    def zone_refused(self, zone: str) -> None:
        """EC2 had no capacity there."""

    def arrived(self, instance: Instance) -> None:
        """It is in service or at rest in the pool."""

    def member_gone(self) -> None:
        """A member has been removed."""


class Journeys:
    """Moves instances along their transitions; the owner decides which one begins."""

    def __init__(self, owner: Owner, world: World, members: Members, records: Records) -> None:
        self._owner = owner
        self._world = world
        self._now, self._call_at = world.schedule.now, world.schedule.call_at
        self._members = members
        self._records = records
        self.actions = LifecycleActions(world.schedule, world.ids.token, self._resolved)

    def launch(self, transition: Transition, placement: Placement, cause: Cause) -> bool:
        """Ask EC2 for a new instance; False when it refuses at once."""
        activity = self._records.begin(transition.description, cause, placement)
        try:
            launched = self._world.machines.launch(placement)
        except LaunchError as error:
            message = f"{error.message} Launching EC2 instance failed."
            self._records.launch_refused(transition, activity, message)
            self._owner.zone_refused(placement.zone)
            self._owner.launch_failed(activity.start_time)
            return False
        activity.description = f"{transition.description}: {launched.instance_id}"
        now = activity.start_time
        instance = Instance(launched, placement, now, transition, activity, transition.begin)
        self._members.add(instance)
        self._records.target(instance, target_state(transition, self._owner.pool_state))
        return True

    def wake(self, instance: Instance, cause: Cause) -> None:
        """Take a settled instance out of the pool, into the group."""
        self._begin(instance, LEAVE_POOL, cause)
        if instance.machine is RUNNING:
            self._later(Delay.HOOK_BEGINS, self._pause, instance)
            return
        instance.machine = PENDING
        self._world.machines.start(instance.instance_id)

    def leave(self, instance: Instance, transition: Transition, cause: Cause) -> None:
        """Begin one of the three transitions that a terminate hook can pause."""
        self._begin(instance, transition, cause)
        self._later(Delay.HOOK_BEGINS, self._pause, instance)

    def terminate_failed(self, instance: Instance, reason: str) -> None:
        """A launch that never came up is terminated without a hook: nothing ever ran.

        "Considered a failed launch and terminated ... regardless of the underlying cause" (user
        guide, ec2-auto-scaling-warm-pools).
        """
        begun_at = instance.activity.start_time
        self._records.launch_failed(instance, f"{reason} Launching EC2 instance failed.")
        self._begin(instance, self._way_out(instance), self._failure(instance))
        self._proceed(instance)
        self._owner.launch_failed(begun_at)

    def machine_running(self, instance: Instance) -> None:
        if self.awaits_running(instance):
            self._later(Delay.HOOK_BEGINS, self._pause, instance)

    def machine_stopped(self, instance: Instance) -> None:
        if instance.state is LifecycleState.WARMED_PENDING_PROCEED:
            self._later(Delay.SETTLES, self._arrive, instance)

    def machine_terminated(self, instance: Instance) -> None:
        transition = instance.transition
        if transition.terminates and instance.state is transition.proceed:
            self._gone(instance)

    def awaits_running(self, instance: Instance) -> bool:
        return instance.transition.launches and instance.state is instance.transition.begin

    def _begin(self, instance: Instance, transition: Transition, cause: Cause) -> None:
        self.actions.cancel(instance.instance_id)
        self._records.superseded(instance)
        instance.journey += 1
        instance.transition = transition
        description = f"{transition.description}: {instance.instance_id}"
        instance.activity = self._records.begin(description, cause, instance.placement)
        self._members.protect(instance, False)
        self._members.move(instance, transition.begin)
        self._records.target(instance, target_state(transition, self._owner.pool_state))

    def _pause(self, instance: Instance) -> None:
        transition = instance.transition
        hooks = [hook for hook in self._owner.hooks.values() if hook.kind is transition.hook_kind]
        if not hooks:
            self._proceed(instance)
            return
        self._members.move(instance, transition.wait)
        instance.activity.pass_to(MID_LAUNCH if transition.launches else MID_TERMINATION)
        for action in self.actions.open(instance.instance_id, hooks):
            self._records.action_opened(instance, action)

    def _resolved(self, action: LifecycleAction, result: str, reason: str) -> None:
        instance = self._members.get(action.instance_id)
        if instance is None:
            raise LookupError(f"{action.instance_id} had a lifecycle action and is not a member")
        if instance.transition.launches and result == ABANDON:
            self._abandon(instance, action.token, reason)
        else:
            self._proceed(instance)

    def _abandon(self, instance: Instance, token: str, reason: str) -> None:
        begun_at = instance.activity.start_time
        message = (
            "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
            f"{token} was abandoned: {reason}"
        )
        self._records.launch_abandoned(instance, message)
        self.leave(instance, self._way_out(instance), self._failure(instance))
        self._owner.launch_failed(begun_at)

    def _proceed(self, instance: Instance) -> None:
        transition = instance.transition
        self._members.move(instance, transition.proceed)
        if transition.joins:
            self._later(Delay.ENTERS_SERVICE, self._arrive, instance)
        elif transition.terminates:
            self._terminate(instance)
        elif instance.unhealthy_cause is not None:
            self.leave(instance, TERMINATE_WARM, instance.unhealthy_cause)
        elif self._owner.pool_state is PoolState.RUNNING:
            self._later(Delay.ENTERS_SERVICE, self._arrive, instance)
        else:
            self._later(Delay.STOP_BEGINS, self._stop, instance)

    def _stop(self, instance: Instance) -> None:
        if instance.machine is STOPPED:
            self.machine_stopped(instance)
            return
        instance.machine = STOPPING
        self._world.machines.stop(instance.instance_id)

    def _terminate(self, instance: Instance) -> None:
        if instance.machine is TERMINATED:
            self._gone(instance)
            return
        instance.machine = SHUTTING_DOWN
        self._world.machines.terminate(instance.instance_id)

    def _arrive(self, instance: Instance) -> None:
        transition = instance.transition
        if transition.joins:
            instance.in_service_at = self._now()
        self._members.move(instance, target_state(transition, self._owner.pool_state))
        self._records.succeeded(instance)
        self._owner.arrived(instance)

    def _gone(self, instance: Instance) -> None:
        self._records.gone(instance)
        self._members.remove(instance)
        self._owner.member_gone()

    def _way_out(self, instance: Instance) -> Transition:
        return TERMINATE_WARM if is_warm(instance.state) else TERMINATE

    def _failure(self, instance: Instance) -> Cause:
        text = "instance {} was taken out of service because its launch failed."
        return self._records.at(text, instance.instance_id)

    def _later(self, delay: Delay, step: Callable[[Instance], None], instance: Instance) -> None:
        when = self._now() + self._world.latency(delay)
        self._call_at(when, self._step, step, instance, instance.journey)

    def _step(self, step: Callable[[Instance], None], instance: Instance, journey: int) -> None:
        # Another transition may have begun since this step was planned.
        if instance.journey == journey:
            step(instance)
