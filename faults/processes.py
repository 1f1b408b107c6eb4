"""Processes of the shipped code on a simulated instance, from their start to their exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.code_layers import LAYERS, version_of
from faults.job_process import SimulatedJobProcess
from faults.tasks import KilledError, Signal, Task
from local.group.clock import Timer
from pilotlight.worker import __main__ as worker_main
from pilotlight.worker import code as worker_code
from pilotlight.worker import watchdog
from pilotlight.worker.layer_store import LayerStore

if TYPE_CHECKING:
    from faults.guest import Guest
    from faults.world import World

KILLED = -9


class Process:
    """One run of `main`; `title` is what it is called in the diary."""

    kind = "workers"
    title = "process"
    frozen_until = 0.0

    def __init__(self, world: World, guest: Guest) -> None:
        self.world = world
        self.guest = guest
        self.pid = world.next_pid()
        self.handlers: dict[int, Callable[..., None]] = {}
        self.exit_code: int | None = None
        self._tasks: list[Task] = []
        self._ended = Signal(world.tasks)

    @property
    def name(self) -> str:
        return f"{self.title} of {self.guest.instance_id}"

    @property
    def skew_seconds(self) -> float:
        return self.guest.skew_seconds

    def main(self) -> int:
        raise NotImplementedError

    def adopt(self, task: Task) -> None:
        self._tasks.append(task)

    def run(self) -> int:
        """In a task of whoever starts it: until the process has ended."""
        self.adopt(self.world.tasks.spawn(self._main, self.name, self))
        self._ended.wait()
        return self.exit_code if self.exit_code is not None else KILLED

    def terminate(self) -> None:
        """SIGTERM."""
        for handler in {id(it): it for it in self.handlers.values()}.values():
            handler(15, None)

    def kill(self, why: str) -> None:
        """SIGKILL, from anywhere but its own tasks."""
        if not self._ended.is_set():
            self.world.diary.say(f"{self.name} is dead: {why}")
            self._end(KILLED)

    def crash(self) -> None:
        """SIGKILL in the middle of what it does."""
        self.world.diary.say(f"{self.name} dies in the middle of a call")
        self._end(KILLED)
        current = self.world.tasks.current
        if current is not None:
            self.world.tasks.kill(current)

    def thread_failed(self, error: Exception) -> None:
        self.world.defect(f"a thread of {self.name}", error)

    def _main(self) -> None:
        try:
            self._end(self.main())
        except KilledError:
            raise
        except Exception as error:
            if not isinstance(error, OSError):
                self.world.defect(self.name, error)
            self._end(1)

    def _end(self, code: int) -> None:
        if self.exit_code is None:
            self.exit_code = code
        for task in self._tasks:  # threads of a process end with it
            if not task.done and task is not self.world.tasks.current:
                self.world.tasks.kill(task)
        self._ended.set()


@dataclass(frozen=True)
class CodeInUse:
    """What an instance works with from a check of its code on, and what there was when it began."""

    instance_id: str
    newest: int
    used: frozenset[int]


class CodeCheck(Process):
    """`python -m pilotlight.worker.code`."""

    title = "code check"

    def main(self) -> int:
        newest, store = self.world.stack.code_version, LayerStore(self.guest.home.code)
        code = worker_code.main()
        if code == 0:
            arns = map(store.current_arn, LAYERS)
            used = frozenset(version_of(arn) if arn else 0 for arn in arns)
            self.world.codes_in_use.append(CodeInUse(self.guest.instance_id, newest, used))
        return code


class WorkerProcess(Process):
    """`python -m pilotlight.worker`."""

    title = "worker"

    def __init__(self, world: World, guest: Guest) -> None:
        super().__init__(world, guest)
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
        when = self.world.clock.now() + within_seconds
        self._watchdog = self.world.clock.call_at(when, self.kill, "its loop is stuck")

    def hang(self, seconds: float) -> None:
        """Nothing in it goes on for so long; its jobs' processes do."""
        self.frozen_until = self.world.clock.now() + seconds

    def _end(self, code: int) -> None:
        self._forget_watchdog()
        super()._end(code)

    def _forget_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
