"""EC2 for the group of a run: virtual machines with a guest in each, which faults can reach."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from faults.guest import Guest
from local.group.clock import Schedule
from local.group.ec2_answers import Ec2Answers
from local.group.instance import Launched, Machine
from local.group.latency import Delay, published
from local.group.settings import Placement
from local.group.virtual_machines import VirtualMachines
from simulator import limits

_PUBLISHED = published()
NOT_STARTABLE = (
    "IncorrectInstanceState",
    "The instance is not in a state from which it can be started.",
)


def uneven(random: Random) -> Callable[[Delay], float]:
    """What is published, and something off it each time; the back-off is a rule and stays."""

    def latency(delay: Delay) -> float:
        if delay in (Delay.FIRST_BACKOFF, Delay.LONGEST_BACKOFF):
            return _PUBLISHED(delay)
        return _PUBLISHED(delay) * random.uniform(0.7, 1.6)

    return latency


class Machines:
    """`new_guest` makes what runs inside; `answers` is the group's ear, made after its machines;
    `template_version` tells that of what the group launches from.

    `starts` is how many sleeping instances EC2 lets an account start at once, and from then on.
    """

    def __init__(
        self,
        schedule: Schedule,
        latency: Callable[[Delay], float],
        new_guest: Callable[[str, str], Guest],
        answers: Callable[[], Ec2Answers],
        template_version: Callable[[], int],
    ) -> None:
        self.guests: dict[str, Guest] = {}
        self.launches: list[float] = []
        self._schedule = schedule
        self._new_guest = new_guest
        self._answers = answers
        self._template_version = template_version
        self.starts = limits.starts(schedule, None)
        self._inner = VirtualMachines(schedule, latency, lambda: self)

    @property
    def states(self) -> dict[str, Machine]:
        return self._inner.states

    @property
    def without_capacity(self) -> set[str]:
        return self._inner.without_capacity

    def alive(self) -> list[Guest]:
        return [guest for guest in self.guests.values() if guest.powered]

    # What the group asks

    def launch(self, placement: Placement) -> Launched:
        self._inner.template_version = self._template_version()
        launched = self._inner.launch(placement)
        self.launches.append(self._schedule.now())
        guest = self._new_guest(launched.instance_id, placement.zone)
        self.guests[launched.instance_id] = guest
        return launched

    def start(self, instance_id: str) -> None:
        wait_seconds = self.starts.wait_seconds()
        if wait_seconds:
            when = self._schedule.now() + wait_seconds
            self._schedule.call_at(when, self._start_sleeping, instance_id)
        elif instance_id in self.guests:
            self._inner.start(instance_id)
        else:  # terminated from outside, and the group has not seen it yet
            now = self._schedule.now()
            self._schedule.call_at(now, self.failed, instance_id, *NOT_STARTABLE)

    def _start_sleeping(self, instance_id: str) -> None:
        """Unless something else became of it while EC2 refused."""
        if self.states[instance_id] is Machine.STOPPED:
            self._inner.start(instance_id)

    def stop(self, instance_id: str) -> None:
        self._tell(instance_id)
        self._inner.stop(instance_id)

    def terminate(self, instance_id: str) -> None:
        self._tell(instance_id)
        self._inner.terminate(instance_id)

    # What a fault does

    def lose(self, instance_id: str, machine: Machine) -> None:
        self.guests[instance_id].power_off()
        if machine is Machine.TERMINATED:
            del self.guests[instance_id]
        self._inner.lose(instance_id, machine)

    # What happens, on its way to the group

    def running(self, instance_id: str) -> None:
        if instance_id in self.guests:
            self.guests[instance_id].power_on()
        self._answers().running(instance_id)

    def stopped(self, instance_id: str) -> None:
        if instance_id in self.guests:
            self.guests[instance_id].power_off()
        self._answers().stopped(instance_id)

    def terminated(self, instance_id: str) -> None:
        guest = self.guests.pop(instance_id, None)
        if guest is not None:
            guest.power_off()
        self._answers().terminated(instance_id)

    def failed(self, instance_id: str, code: str, message: str) -> None:
        self._answers().failed(instance_id, code, message)

    def changed(self, instance_id: str, machine: Machine) -> None:
        self._answers().changed(instance_id, machine)

    def _tell(self, instance_id: str) -> None:
        if instance_id in self.guests:
            self.guests[instance_id].shut_down()
