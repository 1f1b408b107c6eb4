"""What runs inside of one instance: its first boot, its SSM agent, systemd with the worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol

from faults import processes
from faults.disk import Disk, disk_path
from faults.plan import Plan
from faults.processes import CodeCheck, Process, WorkerProcess
from faults.tasks import Signal, Task
from local.instances.machine import Completed
from pilotlight.worker.checks import ALL_CHECKS
from pilotlight.worker.drain import drain
from pilotlight.worker.home import Home
from pilotlight.worker.marker import SetupMarker
from pilotlight.worker.readiness import Verdict
from pilotlight.worker.self_check import CheckResult

RESTART_SECONDS = 3.0  # pilotlight-worker.service
REGISTRATION_SECONDS = (2.0, 10.0)
PYTHON_SECONDS = 0.5  # until its own code runs


@dataclass
class Fate:
    """What is going to go wrong on this instance, drawn when it is launched."""

    setup: str = "works"  # or fails, hangs, fills_disk
    setup_extra_seconds: float = 0.0
    registration_extra_seconds: float = 0.0
    registers: bool = True


@dataclass
class Agent:
    """The SSM agent as Systems Manager sees it."""

    registered: bool = False
    running: bool = False
    gone_until: float = 0.0
    last_ping_at: float = 0.0
    commands: list[Task] = field(default_factory=list)


class Surroundings(processes.Surroundings, Protocol):
    """What an instance meets; `time` is the module's stand-in."""

    plan: Plan
    time: SimpleNamespace


class Guest:
    """Its disk outlives a stop, everything else does not."""

    kind = "guests"
    frozen_until = 0.0

    def __init__(self, around: Surroundings, instance_id: str, zone: str, fate: Fate) -> None:
        self._around = around
        self.instance_id = instance_id
        self.zone = zone
        self.fate = fate
        self.random = Random(f"{around.plan.seed} {instance_id}")
        self.disk, self.memory = Disk(), Disk()
        self.home = Home(root=disk_path(self.disk, "/opt"), run=disk_path(self.memory, "/run"))
        self.agent = Agent()
        self.launched_at = self.started_at = around.clock.now()
        self.tags: dict[str, str] = {}
        self.target: str | None = None
        self.skew_seconds = 0.0
        self.metadata_trouble: tuple[str, float] | None = None  # its kind, and until when
        self.setup_state = "running"  # then done or failed
        self.proven_at: float | None = None
        self.notice_at: float | None = None
        self.powered = False
        self._boots = 0
        self.worker: WorkerProcess | None = None
        self.worker_is_broken = False  # on the disk: it cannot start any more
        self._process: Process | None = None  # systemd's, or the setup's
        self._setup_over = Signal(around.tasks)
        self._tasks: list[Task] = []

    @property
    def name(self) -> str:
        return self.instance_id

    def adopt(self, task: Task) -> None:
        self._tasks.append(task)

    def thread_failed(self, error: Exception) -> None:
        raise error

    def crash(self) -> None:
        self.power_off()

    # Power

    def power_on(self) -> None:
        self.powered = True
        self.started_at = self._around.clock.now()
        self._boots += 1
        self._spawn(self._boot, "boot")

    def shut_down(self) -> None:
        """systemd's stop: the worker is told, and ends with the power at the latest."""
        if self._process is not None:
            self._process.terminate()

    def power_off(self) -> None:
        """Also what pulling the plug does."""
        if not self.powered:
            return
        self.powered = False
        self.agent.running = False
        tasks, self._tasks = self._tasks + self.agent.commands, []
        self.agent.commands = []
        for task in tasks:
            if not task.done and task is not self._around.tasks.current:
                self._around.tasks.kill(task)
        if self._process is not None:
            self._process.kill("the instance went off")
        self._process = self.worker = None
        self.memory.wipe()

    def _spawn(self, body: Callable[[], Any], name: str) -> None:
        self.adopt(self._around.tasks.spawn(body, f"{self.instance_id} {name}", self))

    def _boot(self) -> None:
        sleep = self._around.tasks.sleep
        sleep(self._around.plan.settings.real_boot_seconds * self.random.uniform(0.8, 1.4))
        self._spawn(self._serve_agent, "agent")
        if self.setup_state == "done":
            self.start_worker()
        elif self._boots == 1:  # user data runs at the first boot only
            self._set_up()

    def metadata_fault(self) -> str:
        """What is wrong with IMDS now, empty when nothing is."""
        kind, until = self.metadata_trouble or ("", 0.0)
        return kind if self._around.clock.now() < until else ""

    # First boot

    def _set_up(self) -> None:
        seconds = self._around.plan.settings.real_setup_seconds * self.random.uniform(0.8, 1.3)
        self._around.tasks.sleep(seconds + self.fate.setup_extra_seconds)
        if self.fate.setup == "hangs":
            self._setup_over.wait()
        works = self.fate.setup == "works" and not self.disk.full
        if works and self._run(CodeCheck(self._around, self)) == 0:
            self.setup_state = "done"
            self.start_worker()
        else:
            self.setup_state = "failed"
        self._setup_over.set()

    # SSM agent

    def _serve_agent(self) -> None:
        delay = self.random.uniform(*REGISTRATION_SECONDS)
        if not self.agent.registered:
            delay += self.fate.registration_extra_seconds
        self._around.tasks.sleep(delay)
        if not self.fate.registers:
            return
        self.agent.registered = True
        self.agent.running = True
        self.ping()

    def ping(self) -> None:
        """The agent says every five minutes that it is there; kept exact, since only age counts."""
        if self.online:
            self.agent.last_ping_at = self._around.clock.now()

    @property
    def online(self) -> bool:
        return self.agent.running and self._around.clock.now() >= self.agent.gone_until

    def lose_agent(self, seconds: float) -> None:
        """What it was at gets no answer."""
        self.ping()
        self.agent.gone_until = self._around.clock.now() + seconds
        for task in self.agent.commands:
            self._around.tasks.kill(task)
        self.agent.commands = []

    def run_command(self, script: str, environment: Mapping[str, str]) -> Completed:
        """In the task that Run Command made for it. Raises ConnectionError when nobody is there."""
        if not self.online:
            raise ConnectionError(self.instance_id)
        task = self._around.tasks.running()
        task.place = self
        self.agent.commands.append(task)
        seconds = float(environment["SSM_timeoutSeconds"])
        completed = self._readiness(seconds) if script == "readiness" else self._drain(seconds)
        if task in self.agent.commands:
            self.agent.commands.remove(task)
        return completed

    def _readiness(self, seconds: float) -> Completed:
        if not self._setup_over.is_set():
            self._setup_over.wait(seconds)
        if self.setup_state != "done":
            verdict = {
                "ready": False,
                "checks": [{"name": "setup_finished", "ok": False, "detail": self.fate.setup}],
                "proof": None,
            }
            return Completed(1, f"cloud-init says so\n{json.dumps(verdict)}\n", "")
        self._around.tasks.sleep(self.random.uniform(2.0, 8.0))
        checks = [CheckResult("disk_free", not self.disk.full, "", 0.1)]
        checks += [CheckResult(name, not self.worker_is_broken, "", 1.0) for name in ALL_CHECKS]
        now = self._around.clock.now()
        marker = SetupMarker("0" * 16, "2.13.0", "3.12", (), now)
        found = Verdict(tuple(checks), marker, "1", now)
        if found.ready:
            self.proven_at = now
        return Completed(0 if found.ready else 1, json.dumps(found.document()) + "\n", "")

    def _drain(self, seconds: float) -> Completed:
        if self.setup_state != "done":
            verdict: Mapping[str, Any] = {"drained": True, "detail": "no worker was set up here"}
            return Completed(0, json.dumps(verdict) + "\n", "")
        if self.worker_is_broken:
            return Completed(1, "", "ModuleNotFoundError: No module named 'pilotlight'")
        time = self._around.time
        found = drain(self.home, seconds, time.time, time.sleep)
        self._around.diary.say(f"{self.instance_id} drained: {found.detail}")
        return Completed(0 if found.drained else 1, json.dumps(vars(found)) + "\n", "")

    # systemd

    def start_worker(self) -> None:
        self._spawn(self._service, "worker service")

    def _service(self) -> None:
        """Restart=on-failure, for as long as it takes."""
        while self._serve() != 0:
            self._around.tasks.sleep(RESTART_SECONDS)

    def _serve(self) -> int:
        self._around.tasks.sleep(PYTHON_SECONDS)
        if self.worker_is_broken:
            return 1
        code = self._run(CodeCheck(self._around, self))
        if code == 0:
            self.worker = WorkerProcess(self._around, self)
            code = self._run(self.worker)
            self.worker = None
        return code

    def _run(self, process: Process) -> int:
        self._process = process
        code = process.run()
        self._process = None
        return code

    @property
    def works(self) -> bool:
        """Whether its worker's loop turns."""
        return self.worker is not None and self.worker.frozen_until <= self._around.clock.now()

    @property
    def busy(self) -> int:
        """Jobs whose handlers run right now."""
        return self.worker.busy if self.worker is not None else 0
