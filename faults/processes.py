"""Processes of the shipped code on a simulated instance, from their start to their exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from faults.code_layers import LAYERS, version_of
from faults.diary import Diary
from faults.host import Host
from faults.job_process import SimulatedJobProcess
from faults.tasks import KilledError, Signal, Task, Tasks
from local.group.clock import Timer, VirtualClock
from pilotlight.worker import __main__ as worker_main
from pilotlight.worker import code as worker_code
from pilotlight.worker import watchdog
from pilotlight.worker.layer_store import LayerStore

KILLED = -9


@dataclass(frozen=True)
class CodeInUse:
    """What an instance works with from a check of its code on, and what there was when it began."""

    instance_id: str
    newest: int
    used: frozenset[int]


class Surroundings(Protocol):
    """What a process meets; `codes_in_use` hears of each check of the workers' code."""

    tasks: Tasks
    diary: Diary
    codes_in_use: list[CodeInUse]

    @property
    def clock(self) -> VirtualClock: ...

    @property
    def code_version(self) -> int:
        """Of the workers' code that is deployed."""
        ...

    def next_pid(self) -> int: ...

    def defect(self, where: str, error: Exception) -> None:
        """The code under test raised what it should not."""
        ...


class Process:
    """One run of `main`; `title` is what it is called in the diary."""

    kind = "workers"
    title = "process"
    frozen_until = 0.0

    def __init__(self, around: Surroundings, host: Host) -> None:
        self._around = around
        self.host = host
        self.pid = around.next_pid()
        self.handlers: dict[int, Callable[..., None]] = {}
        self.exit_code: int | None = None
        self._tasks: list[Task] = []
        self._ended = Signal(around.tasks)

    @property
    def name(self) -> str:
        return f"{self.title} of {self.host.instance_id}"

    @property
    def skew_seconds(self) -> float:
        return self.host.skew_seconds

    def main(self) -> int:
        raise NotImplementedError

    def adopt(self, task: Task) -> None:
        self._tasks.append(task)

    def run(self) -> int:
        """In a task of whoever starts it: until the process has ended."""
        self.adopt(self._around.tasks.spawn(self._main, self.name, self))
        self._ended.wait()
        return self.exit_code if self.exit_code is not None else KILLED

    def terminate(self) -> None:
        """SIGTERM."""
        for handler in {id(it): it for it in self.handlers.values()}.values():
            handler(15, None)

    def kill(self, why: str) -> None:
        """SIGKILL, from anywhere but its own tasks."""
        if not self._ended.is_set():
            self._around.diary.say(f"{self.name} is dead: {why}")
            self._end(KILLED)

    def crash(self) -> None:
        """SIGKILL in the middle of what it does."""
        self._around.diary.say(f"{self.name} dies in the middle of a call")
        self._end(KILLED)
        current = self._around.tasks.current
        if current is not None:
            self._around.tasks.kill(current)

    def thread_failed(self, error: Exception) -> None:
        self._around.defect(f"a thread of {self.name}", error)

    def _main(self) -> None:
        try:
            self._end(self.main())
        except KilledError:
            raise
        except Exception as error:
            if not isinstance(error, OSError):
                self._around.defect(self.name, error)
            self._end(1)

    def _end(self, code: int) -> None:
        if self.exit_code is None:
            self.exit_code = code
        for task in self._tasks:  # threads of a process end with it
            if not task.done and task is not self._around.tasks.current:
                self._around.tasks.kill(task)
        self._ended.set()


class CodeCheck(Process):
    """`python -m pilotlight.worker.code`."""

    title = "code check"

    def main(self) -> int:
        newest, store = self._around.code_version, LayerStore(self.host.home.code)
        code = worker_code.main()
        if code == 0:
            arns = map(store.current_arn, LAYERS)
            used = frozenset(version_of(arn) if arn else 0 for arn in arns)
            self._around.codes_in_use.append(CodeInUse(self.host.instance_id, newest, used))
        return code


class WorkerProcess(Process):
    """`python -m pilotlight.worker`."""

    title = "worker"

    def __init__(self, around: Surroundings, host: Host) -> None:
        super().__init__(around, host)
        self.job_processes: list[SimulatedJobProcess] = []
        self._watchdog: Timer | None = None

    @property
    def busy(self) -> int:
        return sum(it.running is not None for it in self.job_processes)

    def main(self) -> int:
        return worker_main.main()

    def run(self) -> int:
        code = super().run()
        for process in self.job_processes:
            process.kill()
        self.job_processes = []
        return code

    def must_step_again(self, within_seconds: float = watchdog.STUCK_SECONDS) -> None:
        """What `watchdog.must_step_again` does to a real process."""
        self._forget_watchdog()
        when = self._around.clock.now() + within_seconds
        self._watchdog = self._around.clock.timer_at(when, self.kill, "its loop is stuck")

    def hang(self, seconds: float) -> None:
        """Nothing in it goes on for so long; its jobs' processes do."""
        self.frozen_until = self._around.clock.now() + seconds

    def _end(self, code: int) -> None:
        self._forget_watchdog()
        super()._end(code)

    def _forget_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
