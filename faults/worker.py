"""The shipped worker as a process of a simulated instance: its own `main`, jobs simulated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from faults.clients import Session
from faults.job_process import SimulatedJobProcess
from faults.tasks import KilledError, Signal, Task
from local.group.clock import Timer
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
    watchdog,
)
from pilotlight.worker.metadata import MetadataError

if TYPE_CHECKING:
    from faults.guest import Guest
    from faults.world import World

KILLED = -9
# The worker looks around often, which costs nothing in truth and everything here: every pause is
# longer than shipped, and the order of what happens is the same.
PAUSES: tuple[tuple[Any, str, Any], ...] = (
    (worker_main, "STEP_SECONDS", 2.0),
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


class WorkerProcess:
    """One run of the service, from its start to its exit code."""

    kind = "workers"
    frozen_until = 0.0

    def __init__(self, world: World, guest: Guest) -> None:
        self.world = world
        self.guest = guest
        self.pid = world.next_pid()
        self.handlers: dict[int, Callable[..., None]] = {}
        self.job_processes: list[SimulatedJobProcess] = []
        self.exit_code: int | None = None
        self._tasks: list[Task] = []
        self._ended = Signal(world.tasks)
        self._watchdog: Timer | None = None

    @property
    def name(self) -> str:
        return f"worker of {self.guest.instance_id}"

    @property
    def skew_seconds(self) -> float:
        return self.guest.skew_seconds

    @property
    def busy(self) -> int:
        return sum(it.running is not None for it in self.job_processes)

    def adopt(self, task: Task) -> None:
        self._tasks.append(task)

    def run(self) -> int:
        """In a task of systemd: until the process has ended."""
        self.adopt(self.world.tasks.spawn(self._main, self.name, self))
        self._ended.wait()
        self.kill_jobs()
        return self.exit_code if self.exit_code is not None else KILLED

    def terminate(self) -> None:
        """SIGTERM."""
        for handler in {id(it): it for it in self.handlers.values()}.values():
            handler(15, None)

    def kill(self, why: str) -> None:
        """SIGKILL, from anywhere but its own tasks."""
        if self._ended.is_set():
            return
        self.world.diary.say(f"{self.name} is dead: {why}")
        self._end(KILLED)
        for task in self._tasks:
            if not task.done:
                self.world.tasks.kill(task)

    def must_step_again(self, within_seconds: float = watchdog.STUCK_SECONDS) -> None:
        """What `watchdog.must_step_again` does to a real process."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        when = self.world.clock.now() + within_seconds
        self._watchdog = self.world.clock.call_at(when, self.kill, "its loop is stuck")

    def hang(self, seconds: float) -> None:
        """Nothing in it goes on for so long; its jobs' processes do."""
        self.frozen_until = self.world.clock.now() + seconds

    def crash(self) -> None:
        """SIGKILL in the middle of what it does."""
        current = self.world.tasks.current
        for task in self._tasks:
            if not task.done and task is not current:
                self.world.tasks.kill(task)
        self.world.diary.say(f"{self.name} dies in the middle of a call")
        self._end(KILLED)
        if current is not None:
            self.world.tasks.kill(current)

    def thread_failed(self, error: Exception) -> None:
        self.world.defect(f"a thread of {self.name}", error)

    def kill_jobs(self) -> None:
        for process in self.job_processes:
            process.kill()
        self.job_processes = []

    def _main(self) -> None:
        try:
            self._end(worker_main.main())
        except KilledError:
            raise
        except Exception as error:
            if not isinstance(error, OSError):
                self.world.defect(self.name, error)
            self._end(1)

    def _end(self, code: int) -> None:
        if self.exit_code is None:
            self.exit_code = code
        if self._watchdog is not None:
            self._watchdog.cancel()
        for task in self._tasks:  # threads of a process end with it
            if not task.done and task is not self.world.tasks.current:
                self.world.tasks.kill(task)
        self._ended.set()


class Output:
    """Standard output: the journal."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write(self, line: str) -> int:
        if self._world.diary.listens:
            event = json.loads(line)
            name, at = event.pop("event"), event.pop("at")
            del at
            self._world.diary.say(f"worker {event.pop('instance_id', '')}: {name} {event}")
        return len(line)

    def flush(self) -> None:
        """Nothing is kept back."""


class Metadata:
    """IMDS of the instance on which it is asked."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def instance_id(self) -> str:
        return self._guest.instance_id

    def target_lifecycle_state(self) -> str | None:
        if self._guest.world.mischief.metadata_away(self._guest):
            raise MetadataError("a fault of the run")
        return self._guest.target

    def interruption_at(self) -> float | None:
        return self._guest.notice_at

    def rebalance_recommended_at(self) -> float | None:
        return None


@contextmanager
def shipped_worker(world: World) -> Iterator[None]:
    """The worker's modules meet the simulated instance instead of a real one."""

    def process() -> WorkerProcess:
        place: WorkerProcess = world.tasks.running().place
        return place

    def listen(number: int, handler: Callable[..., None]) -> None:
        process().handlers[number] = handler

    replaced: list[tuple[Any, str, Any]] = [
        *PAUSES,
        (worker_main, "os", _operating_system(process)),
        (worker_main, "sys", SimpleNamespace(stdout=Output(world))),
        (worker_main, "must_step_again", lambda: process().must_step_again()),
        (worker_main, "signal", SimpleNamespace(SIGTERM=15, SIGINT=2, signal=listen)),
        (worker_main, "Home", SimpleNamespace(from_environment=lambda _: process().guest.home)),
        (worker_main, "InstanceMetadata", lambda _: Metadata(process().guest)),
        (worker_main, "JobProcess", lambda *_a, **_k: SimulatedJobProcess(world, process())),
        (assembly, "instance_session", lambda _: Session(lambda it: world.client(it, process()))),
        (liveness, "_exists", world.process_exists),
        (wake, "process_started_at", lambda _: None),  # of real processes
    ]
    before = [(holder, name, getattr(holder, name)) for holder, name, _ in replaced]
    for holder, name, value in replaced:
        setattr(holder, name, value)
    try:
        yield
    finally:
        for holder, name, value in before:
            setattr(holder, name, value)


def _operating_system(process: Callable[[], WorkerProcess]) -> SimpleNamespace:
    return SimpleNamespace(environ={}, getpid=lambda: process().pid, cpu_count=lambda: 2)
