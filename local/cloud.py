"""The embedded AWS as a child process, for tests and the demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from local.environment import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, client_environment
from local.errors import CloudStartError

START_LIMIT_SECONDS = 120.0
STOP_LIMIT_SECONDS = 30.0


class EmbeddedCloud:
    """An embedded AWS that lives as long as this object, and no longer than this process.

    `folder` keeps the instances' disks and `cloud.log`; `port` 0 takes a free one; `speed` divides
    the durations which AWS itself would take.
    """

    def __init__(self, folder: Path, port: int = 0, speed: float = 1.0, auth: bool = True) -> None:
        self._folder = folder
        self._options = [
            *("--port", str(port), "--speed", str(speed), "--folder", str(folder)),
            "--auth" if auth else "--no-auth",
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint: str | None = None

    @property
    def endpoint(self) -> str:
        """The URL; raises RuntimeError when it was not started."""
        if self._endpoint is None:
            raise RuntimeError("the embedded AWS was not started: use it in a with statement")
        return self._endpoint

    @property
    def log_file(self) -> Path:
        """What the embedded AWS printed."""
        return self._folder / "cloud.log"

    def environment(self) -> dict[str, str]:
        """Variables (`AWS_ENDPOINT_URL`, region, keys) that point a program at this endpoint."""
        return client_environment(self.endpoint)

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """A boto3 client of `service`, as root or with `credentials` as AssumeRole returns them."""
        keys = credentials or {
            "AccessKeyId": ACCESS_KEY_ID,
            "SecretAccessKey": SECRET_ACCESS_KEY,
        }
        session: Any = boto3.session.Session()
        return session.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(max_pool_connections=50),
        )

    def control(self, name: str, **content: Any) -> None:
        """Make this cloud misbehave, or stop that; `seams.control` lists the names.

        Raises ValueError with the cloud's own words when they make no sense to it.
        """
        body = json.dumps(content).encode()
        asked = urllib.request.Request(f"{self.endpoint}/_pilotlight/{name}", body)  # noqa: S310
        try:
            urllib.request.urlopen(asked).close()  # noqa: S310 - our own endpoint
        except urllib.error.HTTPError as error:
            with error:
                said = json.loads(error.read())["error"]
            raise ValueError(f"{name}: {said}") from error

    def start(self) -> None:
        """Start the process and wait until it answers; raises CloudStartError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        ready_file = self._folder / "ready.json"
        ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "local", *self._options]
        command += ["--ready-file", str(ready_file), "--until-stdin-closes"]
        with self.log_file.open("wb") as log:
            # stdin is the lifeline: the child ends when this process, however it ends, closes it.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[1],
                start_new_session=True,  # Ctrl-C reaches us, and we stop it in order
                env={k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            )
        try:
            self._endpoint = self._wait_until_ready(self._process, ready_file)
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes], ready_file: Path) -> str:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not ready_file.exists():
            if process.poll() is not None:
                raise CloudStartError(
                    f"the embedded AWS ended with {process.returncode}:\n{self._last_lines()}"
                )
            if time.monotonic() > deadline:
                raise CloudStartError(
                    f"the embedded AWS did not answer in {START_LIMIT_SECONDS:g} s:\n"
                    f"{self._last_lines()}"
                )
            time.sleep(0.05)
        return str(json.loads(ready_file.read_text(encoding="utf-8"))["endpoint"])

    def _last_lines(self) -> str:
        return "\n".join(self.log_file.read_text("utf-8", "replace").splitlines()[-30:])

    def stop(self) -> None:
        """End it and everything it started; nothing happens when it has ended already."""
        process, self._process, self._endpoint = self._process, None, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
