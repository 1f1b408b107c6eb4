"""`python -m pilotlight.worker.code`: bring settings and code on the disk up to date.

Runs before the worker at every boot: a stopped instance may have slept through deployments. When
nothing has changed it makes one call (GetParameter). When something fails, what is on the disk
stays in use and the log says so; only where there is nothing to use does it fail.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.aws.heartbeats import DynamoDbHeartbeats
from pilotlight.aws.instance_clients import call_limits, instance_session
from pilotlight.aws.worker_code import LambdaLayers, LayerArchive, SsmParameter
from pilotlight.errors import PilotlightError, SettingsError
from pilotlight.fleet.heartbeat import Heartbeat
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.home import Home, write_atomically
from pilotlight.worker.layer_store import LayerError, LayerStore
from pilotlight.worker.metadata import InstanceMetadata, MetadataError
from pilotlight.worker.settings import WorkerSettings, parse_settings
from pilotlight.worker.wake import CodeCheck, note_code_check, process_started_at

REQUIREMENTS = "requirements.txt"
PIP_SECONDS = 900


class RequirementsError(PilotlightError):
    """pip could not install what the jobs need; says what pip said last."""


# A layer that cannot be had, for whatever reason: the one on the disk is used on.
LAYER_ERRORS = (LayerError, RequirementsError, OSError, *AWS_CALL_ERRORS)


class Parameter(Protocol):
    def read(self, name: str) -> str: ...


class Layers(Protocol):
    def locate(self, arn: str) -> LayerArchive: ...


Install = Callable[[Path], None]
Excuse = Callable[[WorkerSettings], None]


@dataclass(frozen=True)
class CodeUpdate:
    """Where code comes from and where it goes. `install` raises RequirementsError.

    `excuse` says beforehand that no heartbeat will come while pip is at work.
    """

    home: Home
    store: LayerStore
    parameter: Parameter
    layers: Layers
    excuse: Excuse
    install: Install
    log: EventLog

    def run(self, parameter_name: str) -> None:
        """Raises SettingsError, or what the update of a layer raised, when it cannot go on."""
        settings = self._settings(parameter_name)
        for layer, arn in settings.layers.items():
            if self.store.current_arn(layer) == arn:
                continue
            try:
                self._update(layer, arn, settings)
            except LAYER_ERRORS as error:
                if not self.store.folder(layer).exists():
                    raise
                self.log("layer_kept", layer=layer, wanted=arn, error=str(error))

    def _settings(self, parameter_name: str) -> WorkerSettings:
        try:
            text = self.parameter.read(parameter_name)
            settings = parse_settings(text)
            write_atomically(self.home.settings_file, text)
        except (SettingsError, OSError, *AWS_CALL_ERRORS) as error:  # OSError: the disk is full
            if not self.home.settings_file.exists():
                raise
            self.log("settings_kept", parameter=parameter_name, error=str(error))
            return parse_settings(self.home.settings_file.read_text(encoding="utf-8"))
        return settings

    def _update(self, layer: str, arn: str, settings: WorkerSettings) -> None:
        began = time.monotonic()
        folder = self.store.fetch(layer, self.layers.locate(arn))
        wanted = _requirements(folder)
        if wanted and wanted != _requirements(self.store.folder(layer)):
            self.excuse(settings)
            self.install(folder / REQUIREMENTS)
        self.store.switch(layer, folder)
        seconds = round(time.monotonic() - began, 3)
        self.log("layer_updated", layer=layer, arn=arn, seconds=seconds)


def install_requirements(path: Path) -> None:
    """With the interpreter's own pip, as the machine's pip configuration has it."""
    arguments = ["install", "--no-input", "--disable-pip-version-check", "--retries", "5"]
    try:
        pip = subprocess.run(
            [sys.executable, "-m", "pip", *arguments, "--requirement", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PIP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RequirementsError(f"{path}: pip was not done within {PIP_SECONDS} s") from None
    if pip.returncode:
        raise RequirementsError(f"{path}: {pip.stdout.strip()[-600:]}")


def excuse_silence(settings: WorkerSettings, log: EventLog) -> None:
    """Or else an instance in service, whose worker is not there yet, would be replaced."""
    now = datetime.now(UTC)
    heartbeat = Heartbeat(now, now + timedelta(seconds=PIP_SECONDS))
    client = instance_session(settings.region).client("dynamodb", config=call_limits())
    try:
        instance_id = InstanceMetadata(os.environ).instance_id()
        DynamoDbHeartbeats(client, settings.heartbeats_table).send(instance_id, heartbeat)
    except (MetadataError, *AWS_CALL_ERRORS) as error:
        log("heartbeat_not_sent", error=str(error))


def _requirements(folder: Path) -> str:
    """No file and an empty one are the same: nothing to install."""
    try:
        return (folder / REQUIREMENTS).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def main() -> int:
    began_at = process_started_at(os.getpid()) or time.time()
    log = EventLog(sys.stdout, time.time)
    home = Home.from_environment(os.environ)
    session = instance_session(os.environ["AWS_REGION"])
    update = CodeUpdate(
        home=home,
        store=LayerStore(home.code),
        parameter=SsmParameter(session.client("ssm", config=call_limits())),
        layers=LambdaLayers(session.client("lambda", config=call_limits())),
        excuse=lambda settings: excuse_silence(settings, log),
        install=install_requirements,
        log=log,
    )
    try:
        update.run(os.environ["WORKER_SETTINGS_PARAMETER"])
    except (SettingsError, *LAYER_ERRORS) as error:
        log("no_usable_code", error=f"{type(error).__name__}: {error}")
        return 1
    log("code_ready", seconds=round(time.time() - began_at, 3))
    note_code_check(home, CodeCheck(began_at, time.time()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
