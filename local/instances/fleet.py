"""EC2's state machine: what each call does in each state, over the machines of an InstanceHost.

Source: EC2 user guide, "Instance lifecycle"; API reference, StartInstances, StopInstances,
TerminateInstances; EC2 user guide, "Troubleshoot instance launch issues" (insufficient capacity).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from local.instances.instance import InstanceSpec

log = logging.getLogger(__name__)

EVERY_ZONE = "*"


class Ec2Error(Exception):
    """EC2 refused a call. `code` and `message` are AWS's own, e.g. InsufficientInstanceCapacity."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Reason:
    """Why a state was entered, as DescribeInstances' StateReason says it."""

    code: str
    message: str


USER = Reason(
    "Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"
)
INSTANCE = Reason(
    "Client.InstanceInitiatedShutdown",
    "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
)
NONE = Reason("", "")


class Host(Protocol):
    """The machines, as the state machine needs them. Callbacks come later, from another thread."""

    def create(self, spec: InstanceSpec) -> None: ...
    def boot(self, instance_id: str, on_running: Callable[[], None]) -> None: ...
    def stop(self, instance_id: str, on_stopped: Callable[[], None]) -> None: ...
    def terminate(self, instance_id: str, on_terminated: Callable[[], None]) -> None: ...
    def reboot(self, instance_id: str) -> None: ...


class Records(Protocol):
    """Where EC2's view of instances is kept and told."""

    def write(self, instance_id: str, state: str, reason: Reason) -> None:
        """DescribeInstances answers this from now on."""

    def tell(self, instance_id: str, state: str) -> None:
        """Emit the state-change notification."""


@dataclass
class _Tracked:
    zone: str
    stops_on_shutdown: bool
    state: str = ""
    # What waits for a state: (state, when it comes, when it cannot come any more).
    waiting: list[tuple[str, Callable[[], None], Callable[[str, str], None]]] = field(
        default_factory=list
    )


def _no_failure(code: str, message: str) -> None:
    """Nothing keeps a stopping instance from being stopped, nor a terminating one."""


class Fleet:
    """Every instance of the account. Safe to use from any thread; news come from one thread."""

    def __init__(self, host: Host, records: Records) -> None:
        self._host = host
        self._records = records
        self._instances: dict[str, _Tracked] = {}
        self._without_capacity: set[str] = set()
        self._listeners: list[Callable[[str, str], None]] = []
        self._lock = threading.RLock()
        self._news: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._tell_news, name="ec2-news", daemon=True).start()

    def on_state_change(self, callback: Callable[[str, str], None]) -> None:
        """Have `callback(instance_id, state)` called for every state any instance enters."""
        self._listeners.append(callback)

    def set_capacity(self, zone: str, available: bool) -> None:
        """Whether EC2 has capacity in a zone, or in every zone (`*`)."""
        change = self._without_capacity.discard if available else self._without_capacity.add
        change(zone)
        if available and zone == EVERY_ZONE:
            self._without_capacity.clear()

    def need_capacity(self, zone: str) -> None:
        """Raises Ec2Error InsufficientInstanceCapacity where there is none."""
        if {zone, EVERY_ZONE} & self._without_capacity:
            raise Ec2Error(
                "InsufficientInstanceCapacity",
                "We currently do not have sufficient capacity in the Availability Zone you "
                f"requested ({zone}). Our system will be working on provisioning additional "
                "capacity.",
            )

    def launch(
        self,
        spec: InstanceSpec,
        stops_on_shutdown: bool,
        on_running: Callable[[], None],
        on_failed: Callable[[str, str], None],
    ) -> None:
        """A new instance, pending. Raises Ec2Error without capacity."""
        self.need_capacity(spec.zone)
        self._host.create(spec)
        with self._lock:
            self._instances[spec.instance_id] = _Tracked(spec.zone, stops_on_shutdown)
            self._bring_up(spec.instance_id, on_running, on_failed)

    def start(
        self,
        instance_id: str,
        on_running: Callable[[], None],
        on_failed: Callable[[str, str], None],
    ) -> None:
        """Raises Ec2Error without capacity, and IncorrectInstanceState unless it is stopped, or on
        already, which is fine."""
        with self._lock:
            tracked = self._tracked(instance_id)
            if tracked.state in ("pending", "running"):
                self._wait(tracked, "running", on_running, on_failed)
                return
            _need(tracked.state == "stopped", instance_id, "started")
            self.need_capacity(tracked.zone)
            self._bring_up(instance_id, on_running, on_failed)

    def stop(self, instance_id: str, on_stopped: Callable[[], None], reason: Reason = USER) -> None:
        """Raises Ec2Error IncorrectInstanceState while pending and when terminated; stopped or
        stopping already is fine."""
        with self._lock:
            tracked = self._tracked(instance_id)
            _need(tracked.state in ("running", "stopping", "stopped"), instance_id, "stopped")
            self._wait(tracked, "stopped", on_stopped, _no_failure)
            if tracked.state == "running":
                self._enter(instance_id, "stopping", reason)
                self._host.stop(instance_id, lambda: self._arrive(instance_id, "stopped", reason))

    def terminate(
        self, instance_id: str, on_terminated: Callable[[], None], reason: Reason = USER
    ) -> None:
        """From any state; terminated already is fine."""
        with self._lock:
            tracked = self._tracked(instance_id)
            self._wait(tracked, "terminated", on_terminated, _no_failure)
            if tracked.state not in ("shutting-down", "terminated"):
                self._enter(instance_id, "shutting-down", reason)
                self._host.terminate(
                    instance_id, lambda: self._arrive(instance_id, "terminated", reason)
                )

    def reboot(self, instance_id: str) -> None:
        """The state stays running. Raises Ec2Error when it is not."""
        with self._lock:
            _need(self._tracked(instance_id).state == "running", instance_id, "rebooted")
            self._host.reboot(instance_id)

    def shut_down_from_inside(self, instance_id: str) -> None:
        """A program on the instance switched it off: InstanceInitiatedShutdownBehavior applies."""
        with self._lock:
            tracked = self._tracked(instance_id)
            if tracked.state == "running":
                end = self.stop if tracked.stops_on_shutdown else self.terminate
                end(instance_id, lambda: None, INSTANCE)

    def state(self, instance_id: str) -> str:
        """Raises Ec2Error InvalidInstanceID.NotFound."""
        return self._tracked(instance_id).state

    def _bring_up(
        self,
        instance_id: str,
        on_running: Callable[[], None],
        on_failed: Callable[[str, str], None],
    ) -> None:
        self._enter(instance_id, "pending", NONE)
        self._wait(self._tracked(instance_id), "running", on_running, on_failed)
        self._host.boot(instance_id, lambda: self._arrive(instance_id, "running", NONE))

    def _tracked(self, instance_id: str) -> _Tracked:
        tracked = self._instances.get(instance_id)
        if tracked is None:
            raise Ec2Error(
                "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist"
            )
        return tracked

    def _arrive(self, instance_id: str, state: str, reason: Reason) -> None:
        """The machine got there. It may have been sent elsewhere meanwhile: terminated, mostly."""
        expected = {"running": "pending", "stopped": "stopping", "terminated": "shutting-down"}
        with self._lock:
            if self._tracked(instance_id).state == expected[state]:
                self._enter(instance_id, state, reason)

    def _enter(self, instance_id: str, state: str, reason: Reason) -> None:
        tracked = self._tracked(instance_id)
        came_from, tracked.state = tracked.state, state
        self._records.write(instance_id, state, reason)
        for tell in (self._records.tell, *self._listeners):
            self._news.put(partial(tell, instance_id, state))
        waiting, tracked.waiting = tracked.waiting, []
        for wanted, come, fail in waiting:
            if wanted == state:
                self._news.put(come)
            elif wanted == "running" and came_from == "pending":
                self._news.put(partial(fail, reason.code, reason.message))
            else:
                tracked.waiting.append((wanted, come, fail))

    def _wait(
        self,
        tracked: _Tracked,
        state: str,
        come: Callable[[], None],
        fail: Callable[[str, str], None],
    ) -> None:
        if tracked.state == state:
            self._news.put(come)
        else:
            tracked.waiting.append((state, come, fail))

    def _tell_news(self) -> None:
        while True:
            news = self._news.get()
            try:
                news()
            except Exception:
                log.exception("whoever was told of an instance's state failed")


def _need(holds: bool, instance_id: str, done: str) -> None:
    if not holds:
        raise Ec2Error(
            "IncorrectInstanceState",
            f"The instance '{instance_id}' is not in a state from which it can be {done}.",
        )
