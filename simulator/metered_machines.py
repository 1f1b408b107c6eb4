"""EC2 in virtual time with a meter: what runs, what is billed, what lies on disk."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from local.group.clock import Schedule
from local.group.ec2_answers import Ec2Answers
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
from local.group.settings import Placement
from local.group.virtual_machines import VirtualMachines

BILLED = RUNNING
"""Not pending, nor stopping without hibernation (EC2 user guide, ec2-instance-lifecycle)."""
LEAST_BILLED_SECONDS = 60.0
"""Of each run of an instance (EC2 pricing, "On-Demand": per second, with a minimum of 60 s)."""


class Meter:
    """Seconds of all machines together, by what EC2 calls their state."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._since: dict[str, tuple[Machine, float]] = {}
        self.seconds: dict[Machine, float] = defaultdict(float)
        self.billed_seconds = 0.0

    def begin(self) -> None:
        """What was before is not counted."""
        self.read()
        self.seconds.clear()
        self.billed_seconds = 0.0

    def read(self) -> None:
        """Bring the sums up to now."""
        for instance_id, (machine, _) in list(self._since.items()):
            self.enter(instance_id, machine)

    def enter(self, instance_id: str, machine: Machine) -> None:
        now = self._schedule.now()
        before = self._since.get(instance_id)
        if before is not None:
            self._count(before, now)
        self._since[instance_id] = (machine, now)

    def leave(self, instance_id: str) -> None:
        """It is terminated."""
        self._count(self._since.pop(instance_id), self._schedule.now())

    def _count(self, before: tuple[Machine, float], now: float) -> None:
        machine, since = before
        spent = now - since
        self.seconds[machine] += spent
        if machine is BILLED:
            self.billed_seconds += max(spent, LEAST_BILLED_SECONDS)


class MeteredMachines:
    """EC2 as the group asks it. Zones run out of capacity at random, asked one by one.

    A random age of template makes the group's choice of whom to take a random one, where AWS's
    termination policies draw at random too.
    """

    def __init__(
        self,
        machines: VirtualMachines,
        meter: Meter,
        random: Random,
        capacity_error_probability: float,
        zones: frozenset[str],
    ) -> None:
        self._machines = machines
        self._meter = meter
        self._random = random
        self._probability = capacity_error_probability
        self._zones = zones

    def launch(self, placement: Placement) -> Launched:
        self._draw_capacity()
        self._machines.template_version = self._random.randrange(1 << 30)
        launched = self._machines.launch(placement)
        self._meter.enter(launched.instance_id, PENDING)
        return launched

    def start(self, instance_id: str) -> None:
        self._draw_capacity()
        self._meter.enter(instance_id, PENDING)
        self._machines.start(instance_id)

    def stop(self, instance_id: str) -> None:
        self._meter.enter(instance_id, STOPPING)
        self._machines.stop(instance_id)

    def terminate(self, instance_id: str) -> None:
        self._meter.enter(instance_id, SHUTTING_DOWN)
        self._machines.terminate(instance_id)

    def _draw_capacity(self) -> None:
        if self._probability:
            refused = self._random.random() < self._probability
            self._machines.without_capacity = set(self._zones) if refused else set()


class MeteredAnswers:
    """EC2's answers on their way to the group."""

    def __init__(self, meter: Meter, group: Ec2Answers) -> None:
        self._meter = meter
        self._group = group

    def running(self, instance_id: str) -> None:
        self._meter.enter(instance_id, RUNNING)
        self._group.running(instance_id)

    def stopped(self, instance_id: str) -> None:
        self._meter.enter(instance_id, STOPPED)
        self._group.stopped(instance_id)

    def terminated(self, instance_id: str) -> None:
        self._meter.leave(instance_id)
        self._group.terminated(instance_id)

    def failed(self, instance_id: str, code: str, message: str) -> None:
        self._meter.enter(instance_id, STOPPED)
        self._group.failed(instance_id, code, message)

    def changed(self, instance_id: str, machine: Machine) -> None:
        if machine is TERMINATED:
            self._meter.leave(instance_id)
        else:
            self._meter.enter(instance_id, machine)
        self._group.changed(instance_id, machine)
