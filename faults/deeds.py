"""Faults that happen once, at their moment, to whoever there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from faults.drawn_settings import new_settings
from faults.guest import Guest
from faults.machines import Machines
from faults.person import Person
from faults.plan import Fault, Settings
from faults.queues import Queue
from local.group.clock import Schedule
from local.group.group import Group
from local.group.instance import Machine
from local.group.states import LifecycleState

SPOT_NOTICE_SECONDS = 120.0
_LOSES = {
    Machine.STOPPED: (Machine.PENDING, Machine.RUNNING),
    Machine.TERMINATED: (Machine.PENDING, Machine.RUNNING, Machine.STOPPING, Machine.STOPPED),
}


class Operations(Protocol):
    """What is asked of CloudFormation; whether it begins."""

    def update(self, settings: Settings, *, new_template: bool) -> bool: ...

    def delete(self) -> bool: ...


class Scene(Protocol):
    """Whom a fault can reach."""

    jobs: Queue
    group: Group
    machines: Machines
    zones: tuple[str, ...]

    @property
    def clock(self) -> Schedule: ...

    @property
    def stack(self) -> Operations: ...

    @property
    def settings(self) -> Settings:
        """Those deployed last."""
        ...

    @property
    def person(self) -> Person: ...


class Deeds:
    """`told` hears of each that took effect: on whom, and in which state or place that was."""

    def __init__(self, scene: Scene, told: Callable[[Fault, str, str], None]) -> None:
        self._scene = scene
        self._tell = told

    def do(self, fault: Fault) -> None:
        DEEDS[fault.kind](self, fault)

    def _told(self, fault: Fault, what: str, where: str = "") -> None:
        self._tell(fault, what, where)

    def _pick(self, fault: Fault, fits: Callable[[Guest], bool]) -> Guest | None:
        found = [it for it in self._scene.machines.guests.values() if fits(it)]
        if not found:
            return None
        guest = found[fault.index % len(found)]
        member = self._scene.group.members.get(guest.instance_id)
        where = member.state.value if member is not None else "in no group"
        self._told(fault, guest.instance_id, where)
        return guest

    def _lose_agent(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.online)
        if guest is not None:
            guest.lose_agent(fault.seconds)

    def _terminate(self, fault: Fault) -> None:
        self._lose_machine(fault, Machine.TERMINATED)

    def _stop(self, fault: Fault) -> None:
        self._lose_machine(fault, Machine.STOPPED)

    def _lose_machine(self, fault: Fault, machine: Machine) -> None:
        """In whatever state it is: out of a stop, only its end can come before the stop does."""
        states = self._scene.machines.states
        lost = _LOSES[machine]
        guest = self._pick(fault, lambda it: states[it.instance_id] in lost)
        if guest is not None:
            self._scene.machines.lose(guest.instance_id, machine)

    def _take_capacity(self, fault: Fault) -> None:
        zones = self._scene.zones
        if fault.kind == "no_capacity_in_zone":
            zones = (zones[fault.index % len(zones)],)
        self._told(fault, ", ".join(zones))
        gone = self._scene.machines.without_capacity
        gone.update(zones)
        clock = self._scene.clock
        clock.call_at(clock.now() + fault.seconds, gone.difference_update, zones)

    def _kill_worker(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.worker is not None)
        if guest is not None and guest.worker is not None:
            guest.worker.kill("SIGKILL")

    def _hang_worker(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.worker is not None)
        if guest is not None and guest.worker is not None:
            guest.worker.hang(fault.seconds)

    def _break_worker(self, fault: Fault) -> None:
        """For good, as a damaged disk does; the agent lives on."""
        guest = self._pick(fault, lambda it: it.worker is not None)
        if guest is not None and guest.worker is not None:
            guest.worker_is_broken = True
            guest.worker.kill("it cannot start any more")

    def _fill_disk(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.powered)
        if guest is not None:
            guest.disk.full = True
            clock = self._scene.clock
            clock.call_at(clock.now() + fault.seconds, setattr, guest.disk, "full", False)

    def _skew_clock(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.powered)
        if guest is not None:
            guest.skew_seconds = fault.seconds

    def _lapse_visibility(self, fault: Fault) -> None:
        for message in self._scene.jobs.in_flight()[: fault.count]:
            self._told(fault, message.message_id)
            self._scene.jobs.lapse(message)

    def _double_message(self, fault: Fault) -> None:
        for message in self._scene.jobs.in_flight()[: fault.count]:
            self._told(fault, message.message_id)
            self._scene.jobs.keep_copy(message)

    def _take_metadata(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.powered)
        if guest is not None:
            guest.metadata_trouble = (fault.kind, self._scene.clock.now() + fault.seconds)

    def _update_stack(self, fault: Fault) -> None:
        settings = new_settings(self._scene.settings, fault.index)
        new_template = fault.index % 3 == 0
        if self._scene.stack.update(settings, new_template=new_template):
            self._told(fault, f"to {settings}", "with a new launch template" * new_template)

    def _delete_stack(self, fault: Fault) -> None:
        if self._scene.stack.delete():
            self._told(fault, "the whole of it")

    def _set_capacity(self, fault: Fault) -> None:
        group = self._scene.group
        if group.deleting:
            return
        low, high = group.settings.min_size, group.settings.max_size
        capacity = low + fault.index % (high - low + 1)
        self._told(fault, f"desired {capacity}")
        self._scene.person.set_capacity(capacity)

    def _give_notice(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.worker is not None)
        if guest is not None:
            clock = self._scene.clock
            guest.notice_at = clock.now() + SPOT_NOTICE_SECONDS
            clock.call_at(guest.notice_at, self._interrupt, guest.instance_id)

    def _mark_unhealthy(self, fault: Fault) -> None:
        """What a person does, or a health check of theirs."""
        group = self._scene.group
        serving = {it.instance_id for it in group.members.within((LifecycleState.IN_SERVICE,))}
        guest = self._pick(fault, lambda it: it.instance_id in serving)
        if guest is not None:
            group.set_instance_health(guest.instance_id, healthy=False, respect_grace=False)

    def _interrupt(self, instance_id: str) -> None:
        if instance_id in self._scene.machines.guests:
            self._scene.machines.lose(instance_id, Machine.TERMINATED)


DEEDS: Mapping[str, Callable[[Deeds, Fault], None]] = {
    "agent_gone": Deeds._lose_agent,
    "instance_terminated": Deeds._terminate,
    "instance_stopped": Deeds._stop,
    "no_capacity": Deeds._take_capacity,
    "no_capacity_in_zone": Deeds._take_capacity,
    "worker_killed": Deeds._kill_worker,
    "worker_hangs": Deeds._hang_worker,
    "worker_cannot_start": Deeds._break_worker,
    "disk_full": Deeds._fill_disk,
    "clock_skewed": Deeds._skew_clock,
    "visibility_lapsed": Deeds._lapse_visibility,
    "message_doubled": Deeds._double_message,
    "metadata_away": Deeds._take_metadata,
    "metadata_slow": Deeds._take_metadata,
    "stack_updated": Deeds._update_stack,
    "stack_deleted": Deeds._delete_stack,
    "capacity_set_by_hand": Deeds._set_capacity,
    "spot_notice": Deeds._give_notice,
    "marked_unhealthy": Deeds._mark_unhealthy,
}
