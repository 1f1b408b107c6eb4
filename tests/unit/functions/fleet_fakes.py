"""AWS as the functions see it, in memory: just enough to be wrong in the ways that AWS is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pilotlight.errors import (
    InstanceRefreshError,
    InvocationNotFoundError,
    NoActiveLifecycleActionError,
    NotRegisteredError,
    TransientError,
)
from pilotlight.fleet.command_result import Invocation
from pilotlight.fleet.commands import Command, CommandBook
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.heartbeat import Heartbeat
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.trial import PoolSizes
from pilotlight.fleet.wait_decisions import SentCommand
from pilotlight.fleet.waits import HELD_LAUNCH, Activity

NOW = datetime(2026, 9, 27, 12, 0, tzinfo=UTC)
INSTANCE = "i-065912b0a0b011650"
TOKEN = "36b210eb-0e5d-4ddf-b153-acd86a82e850"
BOOK = CommandBook(
    readiness_document="readiness",
    drain_document="drain",
    setup_timeout_seconds=900,
    drain_seconds=60,
)
PROOF = {
    "setup_hash": "abc",
    "template_version": "3",
    "torch_version": "2.13.0",
    "proven_at": "2026-09-27T11:59:00Z",
}


def readiness_output(*failed: str, proof: Mapping[str, str] | None = PROOF) -> str:
    checks = [{"name": "import_torch", "ok": True, "detail": "", "seconds": 1.2}]
    checks += [{"name": name, "ok": False, "detail": "it broke", "seconds": 0.1} for name in failed]
    verdict = {"ready": not failed, "checks": checks, "proof": proof if not failed else None}
    return "some output of cloud-init\n" + json.dumps(verdict) + "\n"


def drain_output(drained: bool) -> str:
    verdict = {"drained": drained, "finished": 1, "handed_back": 0, "seconds": 3, "detail": "ok"}
    return json.dumps(verdict)


def group_of(*members: Member, **changes: Any) -> Group:
    values = {"min_size": 1, "max_size": 5, "desired_capacity": len(members), "members": members}
    return Group(**(values | {"suspended_processes": frozenset({"AZRebalance"})} | changes))


@dataclass
class FakeGroup:
    """An action is open while its token is in `open_tokens`; by instance id, while any is."""

    open_tokens: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    described: Group = field(default_factory=group_of)
    pool: tuple[Member, ...] = ()
    past: tuple[Activity, ...] = ()

    def complete(self, pause: Pause, result: str) -> None:
        self._find(pause)
        self.calls.append(("complete", pause.hook, result))
        self.open_tokens.clear()

    def record_heartbeat(self, pause: Pause) -> None:
        self._find(pause)
        self.calls.append(("heartbeat", pause.hook))

    def lifecycle_state(self, instance_id: str) -> str | None:
        return self.states.get(instance_id)

    def lifecycle_states(self, instance_ids: Sequence[str]) -> Mapping[str, str]:
        return {it: self.states[it] for it in instance_ids if it in self.states}

    def set_unhealthy(self, instance_id: str) -> None:
        self.calls.append(("unhealthy", instance_id))

    def describe(self) -> Group:
        return self.described

    def warm_pool(self) -> Iterable[Member]:
        return self.pool

    def activities(self) -> Iterable[Activity]:
        return self.past

    def held_launches(self) -> Iterable[Activity]:
        return (it for it in self.past if it.status == HELD_LAUNCH)

    def suspend(self, process: str) -> None:
        self.calls.append(("suspend", process))

    def resume(self, process: str) -> None:
        self.calls.append(("resume", process))

    def resize_pool(self, sizes: PoolSizes) -> None:
        self.calls.append(("pool", str(sizes.min_size), str(sizes.prepared)))

    def write_tag(self, key: str, value: str) -> None:
        self.calls.append(("tag", key, value))

    def set_desired_capacity(self, capacity: int) -> None:
        self.calls.append(("capacity", str(capacity)))

    def _find(self, pause: Pause) -> None:
        is_open = pause.token in self.open_tokens if pause.token else bool(self.open_tokens)
        if not is_open:
            raise NoActiveLifecycleActionError(f"No active Lifecycle Action found with {pause}")


class RefreshingGroup(FakeGroup):
    """Its instances are being replaced."""

    def resize_pool(self, sizes: PoolSizes) -> None:
        raise InstanceRefreshError("InstanceRefreshInProgress")


@dataclass
class FakeCommands:
    registered: set[str] = field(default_factory=lambda: {INSTANCE})
    sent: list[Command] = field(default_factory=list)
    invocations: dict[str, Invocation] = field(default_factory=dict)
    history: list[SentCommand] = field(default_factory=list)

    def send(self, command: Command) -> str:
        if not self.registered.issuperset(command.instance_ids):
            raise NotRegisteredError("InvalidInstanceId")
        self.sent.append(command)
        return f"command-{len(self.sent)}"

    def invocation(self, command_id: str, instance_id: str) -> Invocation:
        if command_id not in self.invocations:
            raise InvocationNotFoundError("InvocationDoesNotExist")
        return self.invocations[command_id]

    def sent_to(self, instance_id: str) -> list[SentCommand]:
        return self.history


@dataclass
class FakeMachines:
    """Those that run, by when they were started."""

    running: dict[str, datetime] = field(default_factory=lambda: {INSTANCE: NOW})

    def running_since(self, instance_ids: Iterable[str]) -> Mapping[str, datetime]:
        return {it: self.running[it] for it in instance_ids if it in self.running}


@dataclass
class FakeHeartbeats:
    rows: dict[str, Heartbeat] = field(default_factory=dict)
    takes_writes: bool = True

    def of(self, senders: Iterable[str]) -> Mapping[str, Heartbeat]:
        return {it: self.rows[it] for it in senders if it in self.rows}

    def send(self, sender: str, heartbeat: Heartbeat) -> None:
        if not self.takes_writes:
            raise TransientError("the table takes no writes")
        self.rows[sender] = heartbeat


@dataclass
class FakeTags:
    group: FakeGroup
    throttled: bool = False

    def write(self, instance_id: str, tags: Mapping[str, str]) -> None:
        if self.throttled:
            raise TransientError("Rate exceeded")
        self.group.calls.append(("proof", tags["pilotlight:setup-hash"]))


@dataclass
class FakeAlerts:
    published: list[tuple[str, str]] = field(default_factory=list)

    def publish(self, subject: str, message: str) -> None:
        self.published.append((subject, message))


@dataclass
class FakeSource:
    given_back: list[tuple[str, int]] = field(default_factory=list)

    def give_back(self, receipt_handle: str, seconds: int) -> None:
        self.given_back.append((receipt_handle, seconds))
