"""One instance in a box on a host of its own, for tests: no EC2 around it."""

from __future__ import annotations

import functools
import os
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.instances.disk import CODE
from local.instances.enclosure import Enclosure, Folders, Namespaces, why_not_enclosed
from local.instances.environment import pip_cache
from local.instances.host import Completed, InstanceHost, InstanceSpec
from local.instances.interpreters import own_interpreter
from local.instances.latency import Latency
from local.instances.metadata import Credentials
from local.instances.surroundings import Surroundings

SPEED = 200.0
PATIENCE_SECONDS = 60.0
VERSION = own_interpreter().version
ENDPOINT = "http://127.0.0.1:9"  # nothing listens there, and nothing here calls it


@functools.cache
def enclosure_of(kind: str) -> Enclosure | str:
    """The enclosure called `kind`, or why this computer does not permit it."""
    cache, path = pip_cache(os.environ), os.environ["PATH"]
    cache.mkdir(parents=True, exist_ok=True)
    if kind == "folders":
        return Folders(cache, path)
    namespaces = Namespaces(cache, [own_interpreter().prefix, CODE / "local", CODE / "layers"])
    return why_not_enclosed(namespaces) or namespaces


def enclosure_or_skip(kind: str) -> Enclosure:
    found = enclosure_of(kind)
    if isinstance(found, str):
        pytest.skip(f"this computer does not let boxes be enclosed: {found}")
    return found


class Computer:
    """One instance on a host of its own, and what a test does to it."""

    def __init__(self, folder: Path, enclosure: Enclosure, user_data: str) -> None:
        self.off: list[str] = []
        found = {VERSION: str(own_interpreter().executable)}
        self.host = InstanceHost(
            folder=folder / "instances",
            endpoint=ENDPOINT,
            latency=Latency().at_speed(SPEED),
            credentials=lambda spec: Credentials("ASIA", "secret", "token", time.time() + 3600),
            on_shutdown=self.off.append,
            look_around=lambda: Surroundings(dict(os.environ), enclosure, found),
        )
        self.id = f"i-{os.urandom(9).hex()[:17]}"
        self.folder = folder / "instances" / self.id
        self.host.create(
            InstanceSpec(
                instance_id=self.id,
                image_id="ami-0abcdef1234567890",
                instance_type="t3.medium",
                zone="us-east-1a",
                region="us-east-1",
                private_ip="172.31.0.9",
                user_data=textwrap.dedent(user_data).lstrip().encode(),
                role_arn=None,
                tags={},
            )
        )

    def boot(self) -> None:
        self._and_wait(self.host.boot)
        self.wait_for(lambda: self.host.agent_online(self.id), "the agent")

    def stop(self) -> None:
        self._and_wait(self.host.stop)

    def terminate(self) -> None:
        self._and_wait(self.host.terminate)

    def run(self, script: str, seconds: float = PATIENCE_SECONDS, **env: str) -> Completed:
        """Run a shell script in the box; `$root` is the box's `/`, without the slash."""
        root = "" if self.enclosed else str(self.folder / "disk")
        return self.host.run(self.id, ["sh", "-c", script], {"root": root, **env}, seconds)

    def set_up(self) -> str:
        """Boot and let the user data end; what it printed."""
        self.boot()
        self.run("cloud-init status --wait")
        return self.output()

    def output(self) -> str:
        return (self.folder / "disk/var/log/cloud-init-output.log").read_text()

    @property
    def enclosed(self) -> bool:
        return (self.folder / "root").exists()

    @property
    def mark(self) -> str:
        """What is in the environment of every process of this boot, and of no other."""
        name = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        return f"{name}={self.run(f'printenv {name}').stdout.strip()}"

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"no {what} after {PATIENCE_SECONDS} s"
            time.sleep(0.02)

    def _and_wait(self, act: Callable[[str, Callable[[], None]], None]) -> None:
        done = threading.Event()
        act(self.id, done.set)
        assert done.wait(PATIENCE_SECONDS)
