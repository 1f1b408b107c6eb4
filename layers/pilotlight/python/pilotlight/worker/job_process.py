"""The worker's end of a job process: start it, talk to it, hear what it says, end it."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilotlight.worker.job_user import JobUser
from pilotlight.worker.scratch import Scratch, make_private
from pilotlight.worker.session_memory import session_memory_bytes

SEND_SECONDS = 30.0  # the largest payload goes through within seconds unless the process hangs
EXIT_SECONDS = 5.0
KILL_SECONDS = 30.0
CHUNK_BYTES = 65_536
CHUNKS_AT_ONCE = 16
MAX_OUTPUT_LINE_BYTES = 8_192
PRIVATE = 0o077  # as umask: no other slot reads what a job leaves in /tmp


@dataclass(frozen=True)
class Said:
    """One message of the process, see run_job."""

    message: dict[str, Any]


@dataclass(frozen=True)
class Printed:
    """One line that the user's code wrote."""

    line: str


@dataclass(frozen=True)
class Ended:
    """The process is gone; `how` says it in words."""

    how: str


Event = Said | Printed | Ended


class JobProcess:
    """One running `pilotlight.worker.run_job`, the leader of a process group of its own.

    It runs as `user`, or as whoever runs this. Raises OSError when it cannot be started so.
    """

    def __init__(
        self,
        checks: Sequence[str],
        device: str,
        environment: Mapping[str, str],
        user: JobUser | None,
    ) -> None:
        user_id = user.id if user else None
        parent = Path(environment.get("TMPDIR") or tempfile.gettempdir())
        self._scratch = Scratch(parent, user_id)
        if user:
            make_private(user.home, user.id)
        self._channel, theirs = socket.socketpair()
        arguments = ["--channel", str(theirs.fileno()), "--device", device, *checks]
        with theirs:
            self._process = subprocess.Popen(
                # -P: what a job leaves in its working directory is no module of anybody's.
                [sys.executable, "-P", "-m", "pilotlight.worker.run_job", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd=self._scratch.path if self._scratch.path.is_dir() else None,
                user=user_id,
                group=user_id,
                extra_groups=[] if user else None,
                umask=PRIVATE,
                env={
                    **environment,
                    **(user.environment if user else {}),
                    "PYTHONUNBUFFERED": "1",
                    "TMPDIR": str(self._scratch.path),
                },
            )
        assert self._process.stdout is not None  # noqa: S101  stdout=PIPE, as mypy cannot know
        self._output = self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._messages = _Messages(self._channel.fileno())
        # Output first: what a job printed is heard before its answer.
        self._open: list[_Lines] = [_OutputLines(self._output.fileno()), self._messages]
        for stream in self._open:
            os.set_blocking(stream.descriptor, False)
            self._selector.register(stream.descriptor, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError when the process is gone, or does not listen (TimeoutError)."""
        self._channel.settimeout(SEND_SECONDS)
        try:
            self._channel.sendall(json.dumps(message).encode() + b"\n")
        finally:
            self._channel.setblocking(False)

    def events(self, timeout_seconds: float) -> list[Event]:
        """What happened since the last call; waits up to the timeout for the first of it."""
        self._selector.select(timeout_seconds)
        heard: list[Event] = []
        for stream in [*self._open]:
            heard += stream.read()
            if stream.closed:
                self._selector.unregister(stream.descriptor)
                self._open.remove(stream)
        if self._messages not in self._open:
            heard.append(Ended(self._ending()))
        return heard

    def memory_bytes(self) -> int:
        """What the process and whatever it started hold; pages that they share count once."""
        return session_memory_bytes(self._process.pid)

    def kill(self) -> None:
        """End the process and whatever it started; harmless when it has ended already.

        Raises subprocess.TimeoutExpired when not even SIGKILL ends it (a device that hangs).
        """
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(KILL_SECONDS)
        self._selector.close()
        self._channel.close()
        self._output.close()
        self._scratch.remove()

    def _ending(self) -> str:
        try:
            code = self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "it closed its connection to the worker"
        if code == -signal.SIGKILL:
            return "it was killed (SIGKILL): most often the instance ran out of memory"
        if code < 0:
            return f"it was ended by {signal.Signals(-code).name}"
        return f"it exited with code {code}"


class _Lines(ABC):
    """Reads whole lines from a descriptor that does not block, a bounded amount at a time."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.closed = False
        self._rest = b""

    @abstractmethod
    def read(self) -> list[Event]: ...

    def _lines(self) -> list[bytes]:
        for _ in range(CHUNKS_AT_ONCE):
            try:
                chunk = os.read(self.descriptor, CHUNK_BYTES)
            except BlockingIOError:
                break
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                self.closed = True
                break
            self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        return lines


class _Messages(_Lines):
    def read(self) -> list[Event]:
        return [Said(_parsed(line)) for line in self._lines()]


def _parsed(line: bytes) -> dict[str, Any]:
    """The user's code shares the process, so it may write into the socket what it likes."""
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if isinstance(message, dict) and "kind" in message:
        return message
    return {"kind": "error", "error": "JobProcessError: it sent the worker what is no message"}


class _OutputLines(_Lines):
    def read(self) -> list[Event]:
        lines = self._lines()
        if self.closed or len(self._rest) > MAX_OUTPUT_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        return [
            Printed(line[:MAX_OUTPUT_LINE_BYTES].decode("utf-8", "replace"))
            for line in lines
            if line
        ]
