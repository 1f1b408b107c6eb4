"""Puts faults into effect, each at its moment, and ends all of them when the run turns quiet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from faults.guest import Fate, Guest
from faults.plan import CALL_FAULTS, EVENT_FAULTS, Fault
from faults.stack import new_settings
from faults.wire import CallFaults
from local.group.instance import Machine
from local.group.states import LifecycleState

if TYPE_CHECKING:
    from faults.world import World

SPOT_NOTICE_SECONDS = 120.0
_LOSES = {
    Machine.STOPPED: (Machine.PENDING, Machine.RUNNING),
    Machine.TERMINATED: (Machine.PENDING, Machine.RUNNING, Machine.STOPPING, Machine.STOPPED),
}
_SETUPS = {"setup_fails": "fails", "setup_hangs": "hangs", "setup_fills_disk": "fills_disk"}
_FATES = (*_SETUPS, "setup_slow", "agent_registers_late", "agent_never_registers")
_INVOCATIONS = ("function_throttled", "functions_gone", "invoked_twice")
_LASTING = (*EVENT_FAULTS, *_FATES, *_INVOCATIONS, "metrics_missing")


class Mischief:
    def __init__(self, world: World) -> None:
        self._world = world
        self.calls = CallFaults(self._now, self._took_effect)
        self._lasting: list[tuple[Fault, list[int]]] = []
        self._over = False
        self._doing: dict[str, Callable[[Fault], None]] = {
            "agent_gone": self._lose_agent,
            "instance_terminated": lambda it: self._lose_machine(it, Machine.TERMINATED),
            "instance_stopped": lambda it: self._lose_machine(it, Machine.STOPPED),
            "no_capacity": self._take_capacity,
            "no_capacity_in_zone": self._take_capacity,
            "worker_killed": self._kill_worker,
            "worker_hangs": self._hang_worker,
            "worker_cannot_start": self._break_worker,
            "disk_full": self._fill_disk,
            "clock_skewed": self._skew_clock,
            "message_doubled": self._double_message,
            "metadata_away": self._take_metadata,
            "metadata_slow": self._take_metadata,
            "stack_updated": self._update_stack,
            "stack_deleted": self._delete_stack,
            "capacity_set_by_hand": self._set_capacity,
            "spot_notice": self._give_notice,
            "marked_unhealthy": self._mark_unhealthy,
        }

    def plan(self, faults: tuple[Fault, ...]) -> None:
        for fault in faults:
            self._world.clock.call_at(self._world.at(fault.at), self._begin, fault)

    def end(self) -> None:
        """No fault begins or lasts beyond this; what they have led to is the system's to mend."""
        self._over = True
        self._lasting.clear()
        self.calls.clear()
        self._world.machines.without_capacity.clear()
        for guest in self._world.machines.guests.values():
            guest.agent.gone_until = min(guest.agent.gone_until, self._world.clock.now())
            guest.skew_seconds = 0.0
            guest.disk.full = False
            guest.metadata_trouble = None

    # What others ask

    def event_fault(self, source: str, what: str) -> Fault | None:
        return self._take(EVENT_FAULTS, lambda it: it.what in ("*", source), what)

    def fate(self, instance_id: str) -> Fate:
        """Of an instance that is being launched."""
        fault = self._take(_FATES, lambda _: True, instance_id)
        if fault is None:
            return Fate()
        if fault.kind == "setup_slow":
            return Fate(setup_extra_seconds=fault.seconds)
        if fault.kind == "agent_registers_late":
            return Fate(registration_extra_seconds=fault.seconds)
        if fault.kind == "agent_never_registers":
            return Fate(registers=False)
        return Fate(setup=_SETUPS[fault.kind])

    def may_invoke(self, function: str) -> bool:
        names = sorted(self._world.stack.functions)
        for fault, _ in self._current(("function_throttled", "functions_gone")):
            if fault.kind == "functions_gone" or names[fault.index % len(names)] == function:
                self._world.tally[fault.kind] += 1
                return False
        return True

    def invokes_twice(self, function: str) -> bool:
        return self._take(("invoked_twice",), lambda _: True, function) is not None

    def reports_metrics(self) -> bool:
        missing = next(iter(self._current(("metrics_missing",))), None)
        if missing is not None:
            self._world.tally["metrics_missing"] += 1
        return missing is None

    @property
    def aws_answers(self) -> bool:
        """Whether no call of the control plane fails, and every function may be invoked.

        Of the table it needs no more than the heartbeats, and of S3 nothing.
        """
        if self.calls.in_force(spared=("s3", "dynamodb")):
            return False
        return not (self._lasting and self._current(("function_throttled", "functions_gone")))

    @property
    def workers_are_heard(self) -> bool:
        """Whether heartbeats come and are read, as far as AWS goes."""
        return self.aws_answers and not self.calls.in_force(spared=("s3",))

    # How they come and go

    def _now(self) -> float:
        return self._world.since_start()

    def _begin(self, fault: Fault) -> None:
        if self._over:
            return
        if fault.kind in CALL_FAULTS:
            self.calls.arm(fault)
        elif fault.kind in _LASTING:
            self._lasting.append((fault, [fault.count]))
        else:
            self._doing[fault.kind](fault)

    def _current(self, kinds: tuple[str, ...]) -> list[tuple[Fault, list[int]]]:
        now = self._now()
        return [
            it
            for it in self._lasting
            if it[0].kind in kinds and it[1][0] > 0 and now < it[0].at + _lasts(it[0])
        ]

    def _take(
        self, kinds: tuple[str, ...], fits: Callable[[Fault], bool], what: str
    ) -> Fault | None:
        for fault, left in self._current(kinds) if self._lasting else ():
            if fits(fault):
                left[0] -= 1
                self._took_effect(fault, what)
                return fault
        return None

    def _took_effect(self, fault: Fault, what: str) -> None:
        self._world.tally[fault.kind] += 1
        self._world.diary.say(f"FAULT {fault.kind}: {what}")

    # What they do

    def _pick(self, fault: Fault, fits: Callable[[Guest], bool]) -> Guest | None:
        found = [it for it in self._world.machines.guests.values() if fits(it)]
        if not found:
            return None
        guest = found[fault.index % len(found)]
        self._took_effect(fault, guest.instance_id)
        return guest

    def _lose_agent(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.online)
        if guest is not None:
            guest.lose_agent(fault.seconds)

    def _lose_machine(self, fault: Fault, machine: Machine) -> None:
        """In whatever state it is: out of a stop, only its end can come before the stop does."""
        states = self._world.machines.states
        lost = _LOSES[machine]
        guest = self._pick(fault, lambda it: states[it.instance_id] in lost)
        if guest is not None:
            self._world.machines.lose(guest.instance_id, machine)

    def _take_capacity(self, fault: Fault) -> None:
        zones = self._world.zones
        if fault.kind == "no_capacity_in_zone":
            zones = (zones[fault.index % len(zones)],)
        self._took_effect(fault, ", ".join(zones))
        gone = self._world.machines.without_capacity
        gone.update(zones)
        clock = self._world.clock
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
            clock = self._world.clock
            clock.call_at(clock.now() + fault.seconds, setattr, guest.disk, "full", False)

    def _skew_clock(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.powered)
        if guest is not None:
            guest.skew_seconds = fault.seconds

    def _double_message(self, fault: Fault) -> None:
        for message in self._world.jobs.in_flight()[: fault.count]:
            self._took_effect(fault, message.message_id)
            self._world.jobs.lapse(message)

    def _take_metadata(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.powered)
        if guest is not None:
            guest.metadata_trouble = (fault.kind, self._world.clock.now() + fault.seconds)

    def _update_stack(self, fault: Fault) -> None:
        settings = new_settings(self._world.settings, fault.index)
        if self._world.stack.update(settings):
            self._took_effect(fault, f"to {settings}")

    def _delete_stack(self, fault: Fault) -> None:
        if self._world.stack.delete():
            self._took_effect(fault, "the whole of it")

    def _set_capacity(self, fault: Fault) -> None:
        group = self._world.group
        if group.deleting:
            return
        low, high = group.settings.min_size, group.settings.max_size
        capacity = low + fault.index % (high - low + 1)
        self._took_effect(fault, f"desired {capacity}")
        self._world.set_capacity_by_hand(capacity)

    def _give_notice(self, fault: Fault) -> None:
        guest = self._pick(fault, lambda it: it.worker is not None)
        if guest is not None:
            clock = self._world.clock
            guest.notice_at = clock.now() + SPOT_NOTICE_SECONDS
            clock.call_at(guest.notice_at, self._interrupt, guest.instance_id)

    def _mark_unhealthy(self, fault: Fault) -> None:
        """What a person does, or a health check of theirs."""
        group = self._world.group
        serving = {it.instance_id for it in group.members.within((LifecycleState.IN_SERVICE,))}
        guest = self._pick(fault, lambda it: it.instance_id in serving)
        if guest is not None:
            group.set_instance_health(guest.instance_id, healthy=False, respect_grace=False)

    def _interrupt(self, instance_id: str) -> None:
        if instance_id in self._world.machines.guests:
            self._world.machines.lose(instance_id, Machine.TERMINATED)


def _lasts(fault: Fault) -> float:
    """The seconds of some faults say by how much, not for how long."""
    return 1e9 if fault.kind in _FATES else fault.seconds
