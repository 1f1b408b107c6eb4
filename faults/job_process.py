"""The process in which jobs run, as the worker's end of it sees one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from faults.tasks import Signal
from local.group.clock import Timer
from pilotlight.worker.checks import LIGHT_CHECKS
from pilotlight.worker.job_process import Ended, Event, Said

if TYPE_CHECKING:
    from faults.worker import WorkerProcess
    from faults.world import World

START_SECONDS = (0.8, 3.0)


class SimulatedJobProcess:
    """Says what `pilotlight.worker.run_job` says, when it would; `running` is the job it is at."""

    def __init__(self, world: World, worker: WorkerProcess) -> None:
        self._world = world
        self._worker = worker
        self._heard: deque[Event] = deque()
        self._news = Signal(world.tasks)
        self._timer: Timer | None = None
        self.pid = world.next_pid()
        self.alive = True
        self.running: str | None = None
        self._number = 0
        worker.job_processes.append(self)
        seconds = worker.guest.random.uniform(*START_SECONDS)
        world.clock.call_at(world.clock.now() + seconds, self._ready)

    def send(self, message: Mapping[str, Any]) -> None:
        if not self.alive:
            raise BrokenPipeError("the process is gone")
        if message["kind"] == "run":
            self._begin(message)

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

    def _ready(self) -> None:
        if not self.alive:
            return
        for name in LIGHT_CHECKS:
            self._say(kind="checking", name=name)
            self._say(kind="checked", name=name, ok=True, detail="fine", seconds=0.1)
        self._say(kind="ready")

    def _begin(self, message: Mapping[str, Any]) -> None:
        payload = message["payload"]
        self.running = message["job_id"]
        self._number = self._world.ledger.began(self.running, self._worker.guest.instance_id)
        self._world.stirred = True
        if payload["does"] != "hang":
            when = self._world.clock.now() + payload["seconds"]
            self._timer = self._world.clock.call_at(when, self._finish, payload["does"])

    def _finish(self, does: str) -> None:
        if self.running is None:
            return
        job_id, number = self.running, self._number
        if does == "return":
            self._world.ledger.returned(job_id)
        self._stop()
        if does == "crash":
            self.alive = False
            self._heard.append(Ended("it was ended by SIGSEGV"))
            self._news.set()
        elif does == "raise":
            self._say(kind="error", error="ValueError: the payload is wrong")
        elif does == "unjson":
            self._say(kind="error", error="ResultError: the result is not JSON")
        else:
            self._say(kind="result", result=f'"run {number}"')

    def _stop(self) -> None:
        if self.running is not None:
            self._world.ledger.ended(self.running)
        self.running = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _say(self, **message: Any) -> None:
        self._heard.append(Said(message))
        self._news.set()
