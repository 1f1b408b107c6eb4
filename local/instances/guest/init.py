"""The first process of a box: starts services and user data, serves the host, ends with it.

Started with `<root> <control fd>`. The control stream carries one
JSON object a line. Its end means that the host is gone: then everything here ends at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from local.instances.guest.agent import Agent
from local.instances.guest.box import Box, read_box
from local.instances.guest.cloud_init import CloudInit
from local.instances.guest.own_user import keep_to_own_user
from local.instances.guest.processes import Processes, marked, signal_all
from local.instances.guest.systemctl import Answer, answer
from local.instances.guest.systemd import Systemd

POWER_VERBS = ("poweroff", "halt", "reboot")
LARGEST_LINE_BYTES = 16 * 1024 * 1024


class Init:
    """One boot of the box, from power on to power off."""

    def __init__(self, box: Box, control: socket.socket) -> None:
        self._box = box
        self._control = control
        self._processes = Processes()
        self._systemd = Systemd(box, self._processes)
        self._cloud_init = CloudInit(box, self._processes)
        self._agent = Agent(box, self._processes)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writer: asyncio.StreamWriter

    async def live(self) -> None:
        """Serve until the host's end of the control stream closes."""
        reader, self._writer = await asyncio.open_unix_connection(
            sock=self._control, limit=LARGEST_LINE_BYTES
        )
        server = await self._listen()
        self._spawn(self._systemd.start_enabled())
        self._spawn(self._cloud_init.run())
        self._tell({"event": "booted"})
        while line := await reader.readline():
            self._spawn(self._obey(json.loads(line)))
        server.close()
        self.end_everything(signal.SIGKILL)

    def end_everything(self, number: int) -> None:
        """Signal every process of the box but this one."""
        if self._box.enclosed:
            try:
                os.kill(-1, number)
            except ProcessLookupError:
                return
        else:
            signal_all(marked(f"PILOTLIGHT_BOX={self._box.environment['PILOTLIGHT_BOX']}"), number)

    async def _obey(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "run":
                number = order["number"]
                code = await self._agent.run(number, order["argv"], order["environment"])
                self._tell({"event": "finished", "number": number, "exit_code": code})
            case "kill":
                self._agent.kill(order["number"])
            case "shut-down":
                await self._shut_down(order["grace_seconds"])
            case "freeze":
                self.end_everything(signal.SIGSTOP)
            case unknown:
                raise ValueError(f"init does not know how to {unknown!r}")

    async def _shut_down(self, grace_seconds: float) -> None:
        # A command or a script that a shutdown ends is not heard of again, as on EC2.
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        await self._systemd.stop_all(grace_seconds)
        self.end_everything(signal.SIGTERM)
        self._tell({"event": "down"})

    async def _listen(self) -> asyncio.Server:
        """The socket that `systemctl` and its like connect to."""
        folder = self._box.run / "systemd"
        folder.mkdir(parents=True, exist_ok=True)
        # Bound by its bare name: a whole path may be longer than the 108 bytes of a socket address.
        os.chdir(folder)
        server = await asyncio.start_unix_server(self._serve, "private")
        os.chdir(self._box.root)
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        argv = json.loads(await reader.readline())
        said = await self._answer(argv)
        writer.write(json.dumps([said.exit_code, said.stdout, said.stderr]).encode() + b"\n")
        await writer.drain()
        writer.close()

    async def _answer(self, argv: list[str]) -> Answer:
        if argv and argv[0] in POWER_VERBS:
            self._tell({"event": "power-off", "reboot": argv[0] == "reboot"})
            return Answer()
        return await answer(self._systemd, argv)

    def _tell(self, event: dict[str, Any]) -> None:
        self._writer.write(json.dumps(event).encode() + b"\n")

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _live(root: Path, control: socket.socket) -> None:
    init = Init(read_box(root), control)
    try:
        await init.live()
    finally:
        init.end_everything(signal.SIGKILL)


def main() -> None:
    root, descriptor = Path(sys.argv[1]), int(sys.argv[2])
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    box = read_box(root)
    if box.enclosed:
        socket.sethostname(box.hostname)
    else:
        keep_to_own_user()
    os.chdir(root)
    asyncio.run(_live(root, control))
    os._exit(0)
