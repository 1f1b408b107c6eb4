"""The box's SSM agent: runs what the host sends, into files that the host reads."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence

from local.instances.guest.box import Box
from local.instances.guest.processes import Processes, Started

NOT_EXECUTABLE = 126


class Agent:
    """Commands by the number that the host gave them."""

    def __init__(self, box: Box, processes: Processes) -> None:
        self._box = box
        self._processes = processes
        self._running: dict[int, Started] = {}

    async def run(self, number: int, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run one command to its end; its output goes to /run/agent/<number>.{stdout,stderr}."""
        folder = self._box.run / "agent"
        folder.mkdir(parents=True, exist_ok=True)
        with (
            (folder / f"{number}.stdout").open("wb") as stdout,
            (folder / f"{number}.stderr").open("wb") as stderr,
        ):
            try:
                started = self._processes.start(
                    argv, {**self._box.environment, **environment}, self._box.root, stdout, stderr
                )
            except OSError as error:
                stderr.write(f"{error}\n".encode())
                return NOT_EXECUTABLE
        self._running[number] = started
        try:
            return await started.wait()
        finally:
            del self._running[number]

    def kill(self, number: int) -> None:
        """Kill a command that took too long, and what it started; an ended one is fine."""
        started = self._running.get(number)
        if started is not None:
            started.signal_group(signal.SIGKILL)
