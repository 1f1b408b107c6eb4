"""Where EC2's answers to a group, and its news of instances, come in."""

from __future__ import annotations

from local.group.capacity import Capacity
from local.group.health import Health
from local.group.instance import RUNNING, STOPPED, TERMINATED, Machine
from local.group.journeys import Journeys
from local.group.members import Members


class Ec2Answers:
    """Ids that are no members any more are ignored: EC2 is told of an end before it answers."""

    def __init__(
        self, members: Members, journeys: Journeys, health: Health, capacity: Capacity
    ) -> None:
        self._members = members
        self._journeys = journeys
        self._health = health
        self._capacity = capacity

    def running(self, instance_id: str) -> None:
        if instance := self._members.get(instance_id):
            instance.machine = RUNNING
            self._journeys.machine_running(instance)

    def stopped(self, instance_id: str) -> None:
        if instance := self._members.get(instance_id):
            instance.machine = STOPPED
            self._journeys.machine_stopped(instance)

    def terminated(self, instance_id: str) -> None:
        if instance := self._members.get(instance_id):
            instance.machine = TERMINATED
            self._journeys.machine_terminated(instance)

    def failed(self, instance_id: str, code: str, message: str) -> None:
        """A launch or start could not be brought up; the zone is avoided for a while."""
        instance = self._members.get(instance_id)
        if instance is None:
            return
        instance.machine = STOPPED
        if self._journeys.awaits_running(instance):
            self._capacity.zone_refused(instance.zone)
            self._journeys.terminate_failed(instance, f"{code}: {message}")

    def changed(self, instance_id: str, machine: Machine) -> None:
        """Somebody else stopped, started or terminated it, or it did so itself."""
        if instance := self._members.get(instance_id):
            self._health.machine_changed(instance, machine)
