"""EC2 for virtual time: machines that only take their time, and can be out of capacity."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Protocol

from local.group.clock import Schedule
from local.group.instance import (
    PENDING,
    RUNNING,
    SHUTTING_DOWN,
    STOPPED,
    STOPPING,
    TERMINATED,
    Launched,
    Machine,
)
from local.group.latency import Delay, Latency
from local.group.ports import LaunchError
from local.group.settings import Placement

INSUFFICIENT_CAPACITY = "InsufficientInstanceCapacity"


class Answers(Protocol):
    """Who hears of them, as `ec2_answers` does."""

    def running(self, instance_id: str) -> None: ...
    def stopped(self, instance_id: str) -> None: ...
    def terminated(self, instance_id: str) -> None: ...
    def failed(self, instance_id: str, code: str, message: str) -> None: ...
    def changed(self, instance_id: str, machine: Machine) -> None: ...


class VirtualMachines:
    """Ids count up, so that every run has the same ones. `answers` is asked when there is one to
    give: the group is made after its machines."""

    def __init__(
        self, schedule: Schedule, latency: Latency, answers: Callable[[], Answers]
    ) -> None:
        self._schedule = schedule
        self._latency = latency
        self._numbers = count(1)
        self._answers = answers
        self._zones: dict[str, str] = {}
        self.states: dict[str, Machine] = {}
        self.without_capacity: set[str] = set()
        self.template_version = 1

    def launch(self, placement: Placement) -> Launched:
        if placement.zone in self.without_capacity:
            raise LaunchError(INSUFFICIENT_CAPACITY, _no_capacity(placement.zone))
        instance_id = f"i-{next(self._numbers):017x}"
        self._zones[instance_id] = placement.zone
        self.states[instance_id] = PENDING
        self._later(Delay.FIRST_START, self._running, instance_id)
        return Launched(instance_id, template_version=self.template_version)

    def start(self, instance_id: str) -> None:
        if self._zones[instance_id] in self.without_capacity:
            self._schedule.call_at(self._schedule.now(), self._refuse_start, instance_id)
            return
        self.states[instance_id] = PENDING
        self._later(Delay.START, self._running, instance_id)

    def stop(self, instance_id: str) -> None:
        self.states[instance_id] = STOPPING
        self._later(Delay.STOP, self._stopped, instance_id)

    def terminate(self, instance_id: str) -> None:
        self.states[instance_id] = SHUTTING_DOWN
        self._later(Delay.TERMINATION, self._terminated, instance_id)

    def lose(self, instance_id: str, machine: Machine) -> None:
        """Somebody else has stopped (STOPPED) or terminated (TERMINATED) it."""
        self.states[instance_id] = machine
        self._answers().changed(instance_id, machine)

    def _running(self, instance_id: str) -> None:
        if self.states[instance_id] is PENDING:
            self.states[instance_id] = RUNNING
            self._answers().running(instance_id)

    def _stopped(self, instance_id: str) -> None:
        if self.states[instance_id] is STOPPING:
            self.states[instance_id] = STOPPED
            self._answers().stopped(instance_id)

    def _terminated(self, instance_id: str) -> None:
        self.states[instance_id] = TERMINATED
        self._answers().terminated(instance_id)

    def _refuse_start(self, instance_id: str) -> None:
        message = _no_capacity(self._zones[instance_id])
        self._answers().failed(instance_id, INSUFFICIENT_CAPACITY, message)

    def _later(self, delay: Delay, call: Callable[[str], None], instance_id: str) -> None:
        when = self._schedule.now() + self._latency(delay)
        self._schedule.call_at(when, call, instance_id)


def _no_capacity(zone: str) -> str:
    return (
        "We currently do not have sufficient capacity of the requested instance type in the "
        f"Availability Zone you requested ({zone})."
    )
