"""The process in which jobs run, as the worker's end of it sees one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from faults import saving_job
from faults.host import Host
from faults.saving_job import SavingJob
from faults.tasks import Signal, Task
from local.group.clock import Timer, VirtualClock
from pilotlight.worker.checks import LIGHT_CHECKS
from pilotlight.worker.job_process import Ended, Event, Said

START_SECONDS = (0.8, 3.0)


class Surroundings(saving_job.Surroundings, Protocol):
    """What such a process meets."""

    @property
    def clock(self) -> VirtualClock: ...

    def next_pid(self) -> int: ...

    def stir(self) -> None:
        """Something has happened that is worth a look."""
        ...


class SimulatedJobProcess:
    """Says what `pilotlight.worker.run_job` says, when it would; `running` is the job it is at."""

    kind = "jobs"
    frozen_until = 0.0

    def __init__(self, around: Surroundings, host: Host) -> None:
        self._around = around
        self._host = host
        self._heard: deque[Event] = deque()
        self._news = Signal(around.tasks)
        self._timer: Timer | None = None
        self._task: Task | None = None
        self._job: SavingJob | None = None
        self.pid = around.next_pid()
        self.alive = True
        self.running: str | None = None
        seconds = host.random.uniform(*START_SECONDS)
        around.clock.call_at(around.clock.now() + seconds, self._ready)

    # What the worker asks

    def send(self, message: Mapping[str, Any]) -> None:
        if not self.alive:
            raise BrokenPipeError("the process is gone")
        if message["kind"] == "run":
            self._begin(message)
        elif self._job is not None:
            self._job.stop()

    def events(self, timeout_seconds: float) -> list[Event]:
        if not self._heard and self.alive and timeout_seconds > 0:
            self._news.clear()
            self._news.wait(timeout_seconds)
        heard = list(self._heard)
        self._heard.clear()
        return heard

    def kill(self) -> None:
        self.alive = False
        self._stop()

    # As a caller of AWS, and the place of a task

    @property
    def name(self) -> str:
        return f"job {self.running}"

    @property
    def skew_seconds(self) -> float:
        return self._host.skew_seconds

    def crash(self) -> None:
        self._die("it was killed (SIGKILL)")
        self._around.tasks.running()  # which is dead by now

    # What the job says

    def say(self, **message: Any) -> None:
        self._heard.append(Said(message))
        self._news.set()

    def answer(self, **message: Any) -> None:
        """The job is done, in one way or another."""
        self._stop()
        self.say(**message)

    def _ready(self) -> None:
        if not self.alive:
            return
        for name in LIGHT_CHECKS:
            self.say(kind="checking", name=name)
            self.say(kind="checked", name=name, ok=True, detail="fine", seconds=0.1)
        self.say(kind="ready")

    def _begin(self, message: Mapping[str, Any]) -> None:
        payload, job_id = message["payload"], message["job_id"]
        self.running = job_id
        now = self._around.clock.now()
        number = self._around.ledger.began(job_id, self._host.instance_id, now)
        self._around.stir()
        finish = self._finisher(payload["does"], job_id, number)
        if payload["saves_every_seconds"]:
            self._job = SavingJob(self._around, self, message, finish)
            self._task = self._around.tasks.spawn(self._job.run, self.name, self)
        elif payload["does"] != "hang":
            when = self._around.clock.now() + payload["seconds"]
            self._timer = self._around.clock.timer_at(when, finish)

    def _finisher(self, does: str, job_id: str, number: int) -> Callable[[], None]:
        def finish() -> None:
            if does == "crash":
                self._die("it was ended by SIGSEGV")
            elif does == "raise":
                self.answer(kind="error", error="ValueError: the payload is wrong")
            elif does == "unjson":
                self.answer(kind="error", error="ResultError: the result is not JSON")
            else:
                self._around.ledger.returned(job_id)
                self.answer(kind="result", result=f'"run {number}"')

        return finish

    def _die(self, how: str) -> None:
        self.alive = False
        self._stop()
        self._heard.append(Ended(how))
        self._news.set()

    def _stop(self) -> None:
        if self.running is not None:
            self._around.ledger.ended(self.running)
        self.running = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task, self._task, self._job = self._task, None, None
        if task is not None and task is not self._around.tasks.current:
            self._around.tasks.kill(task)
