"""The shipped worker on a simulated instance: its modules meet that instead of a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from faults.clients import Session
from faults.code_layers import SimulatedLayerStore
from faults.diary import Diary
from faults.disk import DiskPath
from faults.job_process import SimulatedJobProcess
from faults.metadata import Metadata
from faults.processes import Process, WorkerProcess
from pilotlight.worker import __main__ as worker_main
from pilotlight.worker import (
    assembly,
    drain,
    liveness,
    log_shipping,
    loop_state,
    receiver,
    self_check,
    slots,
    supervision,
    wake,
)
from pilotlight.worker import code as worker_code

if TYPE_CHECKING:
    from faults.world import World

PARAMETER = "/pilotlight/pilotlight/worker"
# The worker looks around often, which costs nothing in truth and everything here: every pause is
# longer than shipped, and the order of what happens is the same.
PAUSES: tuple[tuple[Any, str, Any], ...] = (
    (worker_main, "STEP_SECONDS", 3.0),
    (receiver, "WAIT_SECONDS", 10),
    (supervision, "POLL_SECONDS", 3.0),
    (slots, "IDLE_POLL_SECONDS", 20.0),
    (self_check, "POLL_SECONDS", 3.0),
    (loop_state, "LOOK_SECONDS", 4.0),
    (drain, "POLL_SECONDS", 1.0),
    (liveness, "WRITE_SECONDS", 6.0),
    (worker_main, "WRITE_SECONDS", 6.0),
    (log_shipping, "GATHER_SECONDS", 60.0),
    (log_shipping, "URGENT_EVENTS", frozenset()),
)


class Output:
    """Standard output: the journal."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary

    def write(self, line: str) -> int:
        if self._diary.listens:
            event = json.loads(line)
            name, at = event.pop("event"), event.pop("at")
            del at
            self._diary.say(f"worker {event.pop('instance_id', '')}: {name} {event}")
        return len(line)

    def flush(self) -> None:
        """Nothing is kept back."""


@contextmanager
def shipped_worker(world: World) -> Iterator[None]:
    """Whatever of the worker's modules reaches out, reaches the process that it runs in."""

    def process() -> Process:
        place: Process = world.tasks.running().place
        return place

    def listen(number: int, handler: Callable[..., None]) -> None:
        process().handlers[number] = handler

    def job_process(*_: Any, **__: Any) -> SimulatedJobProcess:
        worker = _worker(process())
        made = SimulatedJobProcess(world, worker.host)
        worker.job_processes.append(made)
        return made

    def session(_: str) -> Session:
        return Session(lambda service: world.client(service, process()))

    def layer_store(code: Path) -> SimulatedLayerStore:
        caller = process()
        return SimulatedLayerStore(code, lambda: world.download_layer(caller))

    system = _operating_system(process)
    output = SimpleNamespace(stdout=Output(world.diary))
    home = SimpleNamespace(from_environment=lambda _: process().host.home)
    replaced: list[tuple[Any, str, Any]] = [
        *PAUSES,
        (worker_main, "os", system),
        (worker_main, "sys", output),
        (worker_main, "must_step_again", lambda: _worker(process()).must_step_again()),
        (worker_main, "signal", SimpleNamespace(SIGTERM=15, SIGINT=2, signal=listen)),
        (worker_main, "Home", home),
        (worker_main, "InstanceMetadata", lambda _: Metadata(process().host, world.tasks.sleep)),
        (worker_main, "JobProcess", job_process),
        (worker_main, "sweep", lambda _: None),
        (worker_main, "is_full", lambda path: cast("DiskPath", path).disk.full),
        (worker_code, "os", system),
        (worker_code, "sys", output),
        (worker_code, "Home", home),
        (worker_code, "instance_session", session),
        (worker_code, "LayerStore", layer_store),
        (worker_code, "process_started_at", lambda _: None),  # of real processes, as the next
        (wake, "process_started_at", lambda _: None),
        (assembly, "instance_session", session),
        (liveness, "_exists", world.process_exists),
    ]
    before = [(holder, name, getattr(holder, name)) for holder, name, _ in replaced]
    for holder, name, value in replaced:
        setattr(holder, name, value)
    try:
        yield
    finally:
        for holder, name, value in before:
            setattr(holder, name, value)


def _worker(process: Process) -> WorkerProcess:
    return cast("WorkerProcess", process)


def _operating_system(process: Callable[[], Process]) -> SimpleNamespace:
    return SimpleNamespace(
        environ={"AWS_REGION": "us-east-1", "WORKER_SETTINGS_PARAMETER": PARAMETER},
        getpid=lambda: process().pid,
        getppid=lambda: 1,
        cpu_count=lambda: 2,
    )
