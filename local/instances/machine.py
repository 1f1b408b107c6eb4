"""A running box: its processes on this computer and the stream by which its init is told things."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.instances.disk import launcher
from local.instances.enclosure import BOX_MARK, Enclosure
from local.instances.guest.processes import marked, signal_all
from local.instances.layout import Layout

END_SECONDS = 5.0
"""How long a killed box may take to be gone; the kernel needs milliseconds."""


@dataclass(frozen=True)
class Completed:
    """A command that ended. Output is text; bytes which are not UTF-8 are replaced."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass
class _Pending:
    done: threading.Event = field(default_factory=threading.Event)
    exit_code: int | None = None


class Machine:
    """One boot, from power on to power off. Safe to use from any thread."""

    def __init__(
        self,
        layout: Layout,
        enclosure: Enclosure,
        on_power_off: Callable[[bool], None],
    ) -> None:
        """Power on. `on_power_off(reboot)`: a program in the box asked for it."""
        self._layout = layout
        self._enclosure = enclosure
        self._on_power_off = on_power_off
        self._numbers = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._lock = threading.Lock()
        self._down = threading.Event()
        self.booted = False
        self._settled = threading.Event()
        self.ended = threading.Event()
        self._control, far_end = socket.socketpair()
        with far_end, layout.console.open("ab") as console:
            init = launcher(
                "local.instances.guest.init", enclosure.root(layout), str(far_end.fileno())
            )
            self._process = subprocess.Popen(
                enclosure.command(layout, init),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                pass_fds=[far_end.fileno()],
                start_new_session=True,
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        name = f"control-{layout.folder.name}"
        threading.Thread(target=self._listen, name=name, daemon=True).start()

    def await_boot(self) -> bool:
        """Block until init has started; False when it ended instead."""
        self._settled.wait()
        return self.booted and not self.ended.is_set()

    def run(
        self, argv: Sequence[str], environment: Mapping[str, str], timeout_seconds: float
    ) -> Completed:
        """Run a command in the box. Raises TimeoutError and ConnectionError (the box went away)."""
        number = next(self._numbers)
        pending = self._pending[number] = _Pending()
        self._order(do="run", number=number, argv=list(argv), environment=dict(environment))
        in_time = pending.done.wait(timeout_seconds)
        if not in_time:
            self._order(do="kill", number=number)
            pending.done.wait(END_SECONDS)
        self._pending.pop(number, None)
        if pending.exit_code is None and self.ended.is_set():
            raise ConnectionError(f"{self._layout.folder.name} went away while it ran {argv[0]}")
        if not in_time:
            raise TimeoutError(f"{argv[0]} took longer than {timeout_seconds:g} s; it was killed")
        assert pending.exit_code is not None  # noqa: S101 - done and not ended
        return Completed(
            pending.exit_code, self._output(number, "stdout"), self._output(number, "stderr")
        )

    def freeze(self) -> None:
        """Stop every process in its tracks, as a hung kernel would."""
        self._order(do="freeze")

    def power_off(self, grace_seconds: float) -> None:
        """Shut down: services get SIGTERM and `grace_seconds`, then all is killed. Blocks."""
        try:
            self._order(do="shut-down", grace_seconds=grace_seconds)
            self._down.wait(grace_seconds)
        except ConnectionError:
            pass  # it ended by itself: nothing is left to shut down
        self._kill()

    def _kill(self) -> None:
        """Closing the stream ends init and with it the box; what does not obey is killed."""
        with contextlib.suppress(OSError):  # closed already where init ended by itself
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if not self._enclosure.enclosed:
            signal_all(marked(f"{BOX_MARK}={self._layout.folder.name}"), signal.SIGKILL)
        self.ended.wait(END_SECONDS)

    def _order(self, **order: Any) -> None:
        line = json.dumps(order).encode() + b"\n"
        try:
            with self._lock:
                self._control.sendall(line)
        except OSError as error:
            raise ConnectionError(f"{self._layout.folder.name} is off") from error

    def _listen(self) -> None:
        try:
            with self._control, self._control.makefile("rb") as lines:
                for line in lines:
                    self._hear(json.loads(line))
        except OSError:
            pass  # the box was killed: the same as the end of the stream
        self.ended.set()
        self._settled.set()
        self._down.set()
        for pending in list(self._pending.values()):
            pending.done.set()

    def _hear(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "booted":
                self.booted = True
                self._settled.set()
            case "finished":
                pending = self._pending.get(event["number"])
                if pending is not None:
                    pending.exit_code = event["exit_code"]
                    pending.done.set()
            case "power-off":
                self._on_power_off(event["reboot"])
            case "down":
                self._down.set()

    def _output(self, number: int, stream: str) -> str:
        path = Path(self._layout.run, "agent", f"{number}.{stream}")
        text = path.read_text(errors="replace")
        path.unlink()
        return text
