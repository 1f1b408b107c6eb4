"""Which members are unhealthy, why, and when they are replaced."""

from __future__ import annotations

from typing import Protocol

from local.group.instance import Instance, Machine
from local.group.journeys import Journeys
from local.group.latency import Delay
from local.group.members import Members
from local.group.ports import World
from local.group.records import Records
from local.group.states import POOL_SETTLED, TERMINATE, TERMINATE_WARM, LifecycleState, is_warm

EC2_HEALTH_CHECK = (
    "an instance was taken out of service in response to an EC2 health check indicating it has "
    "been terminated or stopped."
)
USER_HEALTH_CHECK = "an instance was taken out of service in response to a user health-check."

_LOST = (Machine.SHUTTING_DOWN, Machine.TERMINATED)
# In this order in every process, which a set of names would not be.
_CHECKED = (LifecycleState.IN_SERVICE, *POOL_SETTLED)


class Owner(Protocol):
    def is_suspended(self, process: str) -> bool: ...

    def member_leaving(self) -> None:
        """A member counts no more; something may have to make up for it."""


class Health:
    """Marks members unhealthy and replaces them; nothing is checked while a hook is open."""

    def __init__(
        self, owner: Owner, world: World, members: Members, records: Records, journeys: Journeys
    ) -> None:
        self._owner = owner
        self._world = world
        self._members = members
        self._records = records
        self._journeys = journeys

    def report(self, instance: Instance, cause: str) -> None:
        """Unhealthy from now on, whatever state it is in; replaced once it is at rest."""
        instance.unhealthy_cause = self._records.at(cause)
        self.check(instance)

    def check(self, instance: Instance) -> None:
        """Replace the instance if it is unhealthy, at rest, and replacing is not suspended."""
        cause = instance.unhealthy_cause
        if cause is None or instance.state not in _CHECKED:
            return
        if self._owner.is_suspended("ReplaceUnhealthy") or self._owner.is_suspended("Terminate"):
            return
        leaving = TERMINATE_WARM if is_warm(instance.state) else TERMINATE
        self._journeys.leave(instance, leaving, cause)
        self._owner.member_leaving()

    def check_all(self) -> None:
        """After a resume: look at every member again."""
        for instance in self._members.within(_CHECKED):
            self._look(instance)
            self.check(instance)

    def machine_changed(self, instance: Instance, machine: Machine) -> None:
        """EC2 says so, and it was not the group's doing."""
        instance.machine = machine
        if machine is Machine.RUNNING:
            return
        if self._journeys.awaits_running(instance):
            reason = f"Instance became {machine.value} while it was launching."
            self._journeys.terminate_failed(instance, reason)
        elif machine is Machine.TERMINATED and instance.state is instance.transition.proceed:
            self._died_on_its_way(instance)
        elif instance.state in _CHECKED:
            when = self._world.schedule.now() + self._world.latency(Delay.HEALTH_CHECK)
            self._world.schedule.call_at(when, self._look, instance)
        else:
            self._look(instance)

    def _died_on_its_way(self, instance: Instance) -> None:
        if instance.state is LifecycleState.WARMED_PENDING_PROCEED:
            cause = instance.unhealthy_cause = self._records.at(EC2_HEALTH_CHECK)
            self._journeys.leave(instance, TERMINATE_WARM, cause)
            self._owner.member_leaving()
        else:
            self._look(instance)
            self._journeys.machine_terminated(instance)

    def _look(self, instance: Instance) -> None:
        """The EC2 status check: a group member must run, a pool member must exist."""
        if not instance.healthy or self._owner.is_suspended("HealthCheck"):
            return
        running = instance.machine in (Machine.RUNNING, Machine.PENDING)
        if instance.machine in _LOST or not (is_warm(instance.state) or running):
            self.report(instance, EC2_HEALTH_CHECK)
