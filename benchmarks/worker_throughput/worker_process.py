"""The shipped worker as a process of its own, on an embedded AWS and a metadata service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.worker_throughput.stage import Stage
from local.instances.guest.own_user import keep_to_own_user
from local.instances.imds import MetadataService
from local.instances.metadata import Credentials

ROOT = Path(__file__).parents[2]
CODE = [ROOT / "layers/pilotlight/python", ROOT / "benchmarks/worker_throughput/payload"]
READY_SECONDS = 60.0
ROUND_SECONDS = 300.0
QUIET_SECONDS = 3.0  # a look at the metadata, and the long poll that is open then


class WorkerProcess:
    """Takes jobs while `open`; otherwise it stays idle, as an instance in Standby does."""

    def __init__(self, stage: Stage, slots: int, folder: Path) -> None:
        self._stage = stage
        self._queue_url = stage.make_queue()
        self._instance_id = f"i-{slots:017d}"
        self._target = "Standby"
        self._metadata = MetadataService(
            self._tree, b"", None, _no_credentials, token_required=True
        )
        folder.mkdir(parents=True)
        (folder / "settings.json").write_text(
            json.dumps(stage.worker_settings(self._queue_url, slots))
        )
        self._environment = {
            **os.environ,
            **stage.cloud.environment(),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._metadata.endpoint,
            "PILOTLIGHT_HOME": str(folder),
            "PILOTLIGHT_RUN": str(folder / "run"),
            "PYTHONPATH": os.pathsep.join(map(str, CODE)),
        }
        self._heard = threading.Condition()
        self._moments: list[float] = []  # of each job's success
        self._started: list[float] = []
        self._ready = 0
        self._silent = False  # it will say no more
        self._slots = slots
        self._errors = (folder / "errors.txt").open("w")

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pilotlight.worker"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            preexec_fn=keep_to_own_user,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(60)
        self._metadata.close()
        self._errors.close()

    def warm_up(self) -> None:
        """Until every slot has passed its self check."""
        self._target = "InService"
        self._until(lambda: self._ready >= self._slots, READY_SECONDS)
        self._target = "Standby"

    def work_off(self, count: int) -> float:
        """Seconds from the start of the first of `count` jobs until the queue is empty again."""
        time.sleep(QUIET_SECONDS)
        self._stage.fill(self._queue_url, count)
        with self._heard:
            self._moments.clear()
            self._started.clear()
        self._target = "InService"
        self._until(lambda: len(self._moments) >= count, ROUND_SECONDS)
        self._target = "Standby"
        return self._stage.until_empty(self._queue_url) - self._started[0]

    def _until(self, condition: Any, seconds: float) -> None:
        with self._heard:
            if not self._heard.wait_for(lambda: condition() or self._silent, seconds):
                raise TimeoutError(f"the worker with {self._slots} slots did not come to it")
            if not condition():
                raise RuntimeError(f"the worker ended; {self._errors.name} says why")

    def _listen(self) -> None:
        self._hear_events()
        with self._heard:
            self._silent = True
            self._heard.notify_all()

    def _hear_events(self) -> None:
        for line in self._process.stdout or ():
            event = json.loads(line)
            with self._heard:
                if event["event"] == "job_succeeded":
                    self._moments.append(event["at"])
                elif event["event"] == "job_started":
                    self._started.append(event["at"])
                elif event["event"] == "self_check_passed":
                    self._ready += 1
                self._heard.notify_all()

    def _tree(self) -> dict[str, str]:
        return {
            "meta-data/instance-id": self._instance_id,
            "meta-data/autoscaling/target-lifecycle-state": self._target,
        }


def _no_credentials() -> Credentials:
    raise LookupError("keys are in the environment")
