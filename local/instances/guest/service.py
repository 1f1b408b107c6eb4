"""One service of the box: started, watched, restarted by policy, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO

from local.instances.guest.box import Box
from local.instances.guest.processes import Processes, Started, marked, signal_all
from local.instances.guest.units import Command, Unit, environment_of, should_restart

STOP_POLL_SECONDS = 0.05
EXEC_FAILED = 203  # systemd.exec(5): the program could not be executed


class Service:
    """`state` is systemd's ActiveState: inactive, activating, active, deactivating or failed."""

    def __init__(self, unit: Unit, box: Box, processes: Processes) -> None:
        self.unit = unit
        self.state = "inactive"
        self.exit_code = 0
        self.main: Started | None = None
        self._box = box
        self._processes = processes
        self._invocation = ""
        self._starts: deque[float] = deque()
        self._wanted = False
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> bool:
        """Start unless running already; True when systemd would call the start job done."""
        if self.state in ("active", "activating"):
            return True
        self._forget_watch()
        self._wanted = True
        return await self._start_once()

    async def stop(self, grace_seconds: float = float("inf")) -> None:
        """ExecStop, KillSignal, and SIGKILL after TimeoutStopSec or `grace_seconds`."""
        self._forget_watch()
        self._wanted = False
        if self.state not in ("active", "activating", "deactivating"):
            return
        self.state = "deactivating"
        await self._end_processes(min(self.unit.stop_timeout_seconds, grace_seconds))
        self.state = "inactive"

    async def _start_once(self) -> bool:
        if not self._conditions_hold():
            self._note("a ConditionPathExists= is not met, skipped")
            return True
        if self._started_too_often():
            self._note("Start request repeated too quickly.")
            return self._failed(self.exit_code or 1)
        self.state = "activating"
        self._invocation = uuid.uuid4().hex
        try:
            async with asyncio.timeout(_finite(self.unit.start_timeout_seconds)):
                return await self._run_start_lines()
        except TimeoutError:
            self._note(f"start timed out after {self.unit.start_timeout_seconds:g} s. Killing.")
            await self._end_processes(self.unit.stop_timeout_seconds)
            return self._ended(-signal.SIGKILL)

    async def _run_start_lines(self) -> bool:
        code = await self._run_all(self.unit.before_start)
        if code == 0 and self.unit.type == "oneshot":
            code = await self._run_all(self.unit.start)
            if code == 0:
                self.state = "active" if self.unit.remain_after_exit else "inactive"
                return True
        if code:
            return self._ended(code)
        try:
            self.main = self._begin(self.unit.start[0])
        except OSError as error:
            self._note(f"Failed to execute {self.unit.start[0].line}: {error}")
            return self._ended(EXEC_FAILED)
        self.state = "active"
        self._watch = asyncio.create_task(self._watch_main(self.main))
        await self._run_all(self.unit.after_start)
        return True

    async def _watch_main(self, main: Started) -> None:
        code = await main.wait()
        self._note(f"Main process exited, code={code}")
        self.state = "deactivating"
        await self._end_processes(self.unit.stop_timeout_seconds)
        self._ended(code)

    def _ended(self, code: int) -> bool:
        """Record the end and restart by policy; False, for the start did not last."""
        self.exit_code = code
        self.state = "inactive" if code in (0, -signal.SIGTERM) else "failed"
        if self._wanted and should_restart(self.unit.restart, code):
            self.state = "activating"
            self._watch = asyncio.create_task(self._restart_later())
        return False

    async def _restart_later(self) -> None:
        await asyncio.sleep(self.unit.restart_seconds)
        self._note("Scheduled restart job.")
        await self._start_once()

    async def _end_processes(self, patience_seconds: float) -> None:
        """Stop what the service still runs: politely, then not."""
        if self.main is not None and self.main.running:
            await self._run_all(self.unit.stop)
        signal_all(self._asked_to_end(), signal.Signals[self.unit.kill_signal])
        deadline = time.monotonic() + patience_seconds
        while self._asked_to_end() and time.monotonic() < deadline:
            await asyncio.sleep(STOP_POLL_SECONDS)
        signal_all(self._killed(), signal.SIGKILL)
        self.main = None
        await self._run_all(self.unit.after_stop)

    def _asked_to_end(self) -> list[int]:
        """Who gets KillSignal and is waited for (systemd.kill(5), KillMode)."""
        if self.unit.kill_mode == "control-group":
            return self._members()
        return [] if self.unit.kill_mode == "none" else self._main_pids()

    def _killed(self) -> list[int]:
        """Who gets SIGKILL after that."""
        if self.unit.kill_mode in ("control-group", "mixed"):
            return self._members()
        return [] if self.unit.kill_mode == "none" else self._main_pids()

    def _members(self) -> list[int]:
        return marked(f"INVOCATION_ID={self._invocation}")

    def _main_pids(self) -> list[int]:
        return [self.main.pid] if self.main is not None and self.main.running else []

    async def _run_all(self, commands: tuple[Command, ...]) -> int:
        """Run one after the other; the first exit code that matters and is not 0."""
        for command in commands:
            try:
                code = await self._begin(command).wait()
            except OSError as error:
                self._note(f"Failed to execute {command.line}: {error}")
                code = EXEC_FAILED
            if code and not command.may_fail:
                self._note(f"Control process exited, code={code}: {command.line}")
                return code
        return 0

    def _begin(self, command: Command) -> Started:
        environment = self._environment()
        directory = self.unit.working_directory.lstrip("-").replace("~", environment["HOME"])
        with self._open_journal() as output:
            return self._processes.start(
                command.argv(environment),
                environment,
                self._box.root if directory == "/" else Path(directory),
                output,
                user=self.unit.user,
            )

    def _environment(self) -> dict[str, str]:
        environment = {**self._box.environment, **self.unit.environment}
        for name in self.unit.environment_files:
            path = Path(name.lstrip("-"))
            if path.exists():
                environment |= environment_of(path.read_text())
            elif not name.startswith("-"):
                raise FileNotFoundError(f"EnvironmentFile={name} does not exist")
        return {**environment, "INVOCATION_ID": self._invocation}

    def _conditions_hold(self) -> bool:
        return all(
            Path(path.lstrip("!")).exists() != path.startswith("!")
            for path in self.unit.needed_paths
        )

    def _started_too_often(self) -> bool:
        now = time.monotonic()
        while self._starts and now - self._starts[0] > self.unit.start_limit_seconds:
            self._starts.popleft()
        self._starts.append(now)
        return 0 < self.unit.start_limit_burst < len(self._starts)

    def _failed(self, code: int) -> bool:
        self.exit_code = code
        self.state = "failed"
        return False

    def _forget_watch(self) -> None:
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        self._watch = None

    def _note(self, text: str) -> None:
        with suppress(OSError), self._open_journal() as output:
            output.write(f"{self.unit.name}: {text}\n".encode())

    def _open_journal(self) -> IO[bytes]:
        """What is printed is lost on a full disk: journald drops lines, and fails no service."""
        journal = self._box.journal(self.unit.name)
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            return journal.open("ab")
        except OSError:
            return Path(os.devnull).open("ab")


def _finite(seconds: float) -> float | None:
    return None if seconds == float("inf") else seconds
