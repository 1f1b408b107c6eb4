"""One embedded AWS per test worker, shared by its tests: they name what they make uniquely."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from local.cloud import EmbeddedCloud

SPEED = 60.0


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """A running embedded AWS, fast: what takes AWS a minute takes it a second."""
    with EmbeddedCloud(tmp_path_factory.mktemp("cloud"), speed=SPEED) as running:
        yield running


@pytest.fixture
def client(cloud: EmbeddedCloud) -> Callable[[str], object]:
    """`client("sqs")`: a boto3 client as the account's root."""
    return cloud.client


@pytest.fixture
def unique() -> Callable[[str], str]:
    """`unique("queue")`: a name which no other test uses."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:8]}"
