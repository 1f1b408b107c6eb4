"""Where a command works: an account or endpoint that is there, or an embedded AWS of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config

from cli.stack import Cloud
from local.cloud import EmbeddedCloud

# A person waits: where nobody answers this gives up within seconds, of which the SDK takes twenty.
PATIENCE = Config(connect_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


class Endpoint(Cloud, Protocol):
    """A cloud that other programs can be pointed at."""

    def environment(self) -> Mapping[str, str]:
        """The SDKs' own variables for it."""


class ConfiguredCloud:
    """What the SDK's own settings name: AWS_ENDPOINT_URL, AWS_PROFILE, AWS_DEFAULT_REGION ..."""

    def client(self, service: str) -> Any:
        session = boto3.session.Session()
        return session.client(service, config=PATIENCE)  # type: ignore[call-overload]

    def environment(self) -> Mapping[str, str]:
        return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


@contextmanager
def embedded_cloud(folder: Path, speed: float) -> Iterator[Endpoint]:
    """The embedded AWS that AWS_ENDPOINT_URL names (`make cloud`), else one for this block alone.

    Never an account: without an endpoint, whatever credentials lie around are not used.
    """
    if os.environ.get("AWS_ENDPOINT_URL"):
        yield ConfiguredCloud()
        return
    with EmbeddedCloud(folder, speed=speed) as cloud:
        yield cloud
