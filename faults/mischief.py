"""Puts faults into effect, each at its moment, and ends all of them when the run turns quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from faults import deeds
from faults.deeds import DEEDS, Deeds
from faults.diary import Diary
from faults.guest import Fate
from faults.plan import CALL_FAULTS, EVENT_FAULTS, Fault
from faults.wire import CallFaults

_SETUPS = {"setup_fails": "fails", "setup_hangs": "hangs", "setup_fills_disk": "fills_disk"}
_FATES = (*_SETUPS, "setup_slow", "agent_registers_late", "agent_never_registers")
_INVOCATIONS = ("function_throttled", "functions_gone", "invoked_twice")
_METRICS = ("metrics_missing", "metrics_late")
_LASTING = (*EVENT_FAULTS, *_FATES, *_INVOCATIONS, *_METRICS)
KINDS = frozenset(CALL_FAULTS) | frozenset(_LASTING) | frozenset(DEEDS)
METRICS_LATE_SECONDS = 600.0  # SQS documentation: up to fifteen minutes after a queue was asleep


class Operations(deeds.Operations, Protocol):
    @property
    def functions(self) -> Mapping[str, object]:
        """By name."""
        ...


class Scene(deeds.Scene, Protocol):
    """Whom a fault can reach, and who hears of those that took effect.

    The tally counts them by kind, `effects` by kind and place.
    """

    diary: Diary
    tally: Counter[str]
    effects: Counter[tuple[str, str]]

    @property
    def stack(self) -> Operations: ...

    def since_start(self) -> float: ...

    def at(self, seconds: float) -> float:
        """The clock's time so many seconds after the start."""
        ...


class Mischief:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.calls = CallFaults(self._now, self._took_effect)
        self._lasting: list[tuple[Fault, list[int]]] = []
        self._over = False
        self._deeds = Deeds(scene, self._took_effect)

    def plan(self, faults: tuple[Fault, ...]) -> None:
        for fault in faults:
            self._scene.clock.call_at(self._scene.at(fault.at), self._begin, fault)

    def end(self) -> None:
        """No fault begins or lasts beyond this; what they have led to is the system's to mend."""
        self._over = True
        self._lasting.clear()
        self.calls.clear()
        self._scene.machines.without_capacity.clear()
        for guest in self._scene.machines.guests.values():
            guest.agent.gone_until = min(guest.agent.gone_until, self._scene.clock.now())
            guest.skew_seconds = 0.0
            guest.disk.full = False
            guest.metadata_trouble = None

    # What others ask

    def event_fault(self, source: str, what: str) -> Fault | None:
        return self._take(EVENT_FAULTS, lambda it: it.what in ("*", source), what, source)

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
        for fault, _ in self._current(("function_throttled", "functions_gone")):
            if fault.kind == "functions_gone" or self._function_of(fault) == function:
                self._count(fault, function)
                return False
        return True

    def invokes_twice(self, function: str) -> bool:
        def is_meant(fault: Fault) -> bool:
            return self._function_of(fault) == function

        return self._take(("invoked_twice",), is_meant, function, function) is not None

    def metrics_delay_seconds(self) -> float | None:
        """How late this minute's figures come; None when they never do."""
        found = next(iter(self._current(_METRICS)), None)
        if found is None:
            return 0.0
        self._count(found[0])
        return None if found[0].kind == "metrics_missing" else METRICS_LATE_SECONDS

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
        return self._scene.since_start()

    def _begin(self, fault: Fault) -> None:
        if self._over:
            return
        if fault.kind in CALL_FAULTS:
            self.calls.arm(fault)
        elif fault.kind in _LASTING:
            self._lasting.append((fault, [fault.count]))
        else:
            self._deeds.do(fault)

    def _current(self, kinds: tuple[str, ...]) -> list[tuple[Fault, list[int]]]:
        now = self._now()
        return [
            it
            for it in self._lasting
            if it[0].kind in kinds and it[1][0] > 0 and now < it[0].at + _lasts(it[0])
        ]

    def _take(
        self, kinds: tuple[str, ...], fits: Callable[[Fault], bool], what: str, where: str = ""
    ) -> Fault | None:
        for fault, left in self._current(kinds) if self._lasting else ():
            if fits(fault):
                left[0] -= 1
                self._took_effect(fault, what, where)
                return fault
        return None

    def _took_effect(self, fault: Fault, what: str, where: str = "") -> None:
        self._count(fault, where)
        self._scene.diary.say(f"FAULT {fault.kind}: {what}")

    def _count(self, fault: Fault, where: str = "") -> None:
        self._scene.tally[fault.kind] += 1
        self._scene.effects[fault.kind, where] += 1

    def _function_of(self, fault: Fault) -> str:
        names = sorted(self._scene.stack.functions)
        return names[fault.index % len(names)]


def _lasts(fault: Fault) -> float:
    """The seconds of some faults say by how much, not for how long."""
    return 1e9 if fault.kind in _FATES else fault.seconds
