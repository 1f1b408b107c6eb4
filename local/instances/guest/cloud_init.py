"""The box's cloud-init: runs user data once in an instance's life, or at every boot if asked."""

from __future__ import annotations

import json
from pathlib import Path

from local.instances.guest.box import Box
from local.instances.guest.processes import Processes
from local.instances.guest.userdata import UserData, read_user_data

USER_DATA = "user-data.txt"


class CloudInit:
    """Status is in /run/cloud-init/status.json: `running`, then `done` or `error`."""

    def __init__(self, box: Box, processes: Processes) -> None:
        self._box = box
        self._processes = processes
        self._semaphore = box.cloud / "sem/config_scripts_user"

    async def run(self) -> None:
        """The boot's part of cloud-init. What fails is told by status and log, never raised."""
        self._write_status("running", [], [])
        user_data = read_user_data((self._box.cloud / USER_DATA).read_bytes())
        warnings = [f"{name} is not provided here" for name in user_data.not_provided]
        for warning in warnings:
            self._log(f"WARNING: {warning}\n")
        errors = await self._run_scripts(user_data) if self._due(user_data) else []
        self._write_status("error" if errors else "done", errors, warnings)

    def _due(self, user_data: UserData) -> bool:
        return user_data.every_boot or not self._semaphore.exists()

    async def _run_scripts(self, user_data: UserData) -> list[str]:
        # Marked before, as cloud-init does: a script that a stop cut off does not run again.
        self._semaphore.parent.mkdir(parents=True, exist_ok=True)
        self._semaphore.touch()
        errors = []
        for number, script in enumerate(user_data.scripts, start=1):
            code = await self._run_script(f"part-{number:03d}", script)
            if code:
                errors.append(f"part-{number:03d} exited with {code}")
                self._log(f"Failed to run module scripts-user: {errors[-1]}\n")
        return errors

    async def _run_script(self, name: str, script: bytes) -> int:
        path = self._box.cloud / "scripts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(script)
        path.chmod(0o700)
        with self._output().open("ab") as output:
            try:
                argv = [str(path)] if script.startswith(b"#!") else ["/bin/sh", str(path)]
                started = self._processes.start(argv, self._box.environment, self._box.root, output)
            except OSError as error:
                self._log(f"Failed to execute {name}: {error}\n")
                return 127
        return await started.wait()

    def _output(self) -> Path:
        self._box.log.mkdir(parents=True, exist_ok=True)
        return self._box.log / "cloud-init-output.log"

    def _log(self, text: str) -> None:
        with self._output().open("a") as output:
            output.write(text)

    def _write_status(self, status: str, errors: list[str], warnings: list[str]) -> None:
        folder = self._box.run / "cloud-init"
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / "status.json.new"
        written.write_text(
            json.dumps({"status": status, "errors": errors, "recoverable_errors": warnings})
        )
        written.replace(folder / "status.json")
