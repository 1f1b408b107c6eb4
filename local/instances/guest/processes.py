"""Starts programs and reaps them, orphans too, as an init must."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Started:
    """A program that was started."""

    process: subprocess.Popen[bytes]
    exited: asyncio.Future[int]

    async def wait(self) -> int:
        """The exit code, -N when signal N killed it. Who gives up waiting changes nothing of it."""
        return await asyncio.shield(self.exited)

    @property
    def running(self) -> bool:
        return not self.exited.done()

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal_group(self, number: int) -> None:
        """Signal the program and what it started in the same process group; gone is fine."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return


class Processes:
    """Every child of this process. Only inside a running asyncio loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started: dict[int, Started] = {}
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        output: IO[bytes],
        errors: IO[bytes] | None = None,
        user: str | None = None,
    ) -> Started:
        """Start `argv` in a session of its own. Raises OSError when it cannot be executed."""
        process = subprocess.Popen(
            list(argv),
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors or subprocess.STDOUT,
            start_new_session=True,
            user=user,
        )
        started = Started(process, self._loop.create_future())
        self._started[process.pid] = started
        return started

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            started = self._started.pop(pid, None)
            if started is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            started.process.returncode = code
            started.exited.set_result(code)


def marked(mark: str) -> list[int]:
    """Processes which have `NAME=value` in their environment: they inherited it, whoever their
    parent is by now. Without /proc (macOS) `ps` is asked."""
    needle = mark.encode()
    if Path("/proc/self/environ").exists():
        return [pid for pid in _pids() if needle in _environment(pid).split(b"\0")]
    listing = subprocess.run(["ps", "-Axww", "-E", "-o", "pid=,command="], capture_output=True)
    rows = (row.split(maxsplit=1) for row in listing.stdout.splitlines())
    return [int(row[0]) for row in rows if len(row) == 2 and needle in row[1].split()]


def signal_all(pids: Iterable[int], number: int) -> None:
    """Signal each; those which are gone, and this process itself, are passed over."""
    for pid in pids:
        if pid == os.getpid():
            continue
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
