"""One embedded AWS per test worker, shared by its tests: they name what they make uniquely."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Callable, Iterator

import pytest

from local.cloud import EmbeddedCloud
from tests.embedded.lambda_functions import function_maker

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


@pytest.fixture
def make_function(cloud: EmbeddedCloud) -> Callable[..., str]:
    """`make_function(code, statement, ..., environment={}, **settings)`: ARN of a new function.

    `code` is app.py with `handler`; its role may write logs and what the statements allow.
    """
    return function_maker(cloud)


@pytest.fixture
def publish_layer(
    cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> Callable[[dict[str, str]], str]:
    """`publish_layer({path: text})`: ARN of a new layer version."""

    def publish(files: dict[str, str]) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as writer:
            for path, text in files.items():
                writer.writestr(path, text)
        version = cloud.client("lambda").publish_layer_version(
            LayerName=unique("layer"), Content={"ZipFile": archive.getvalue()}
        )
        return str(version["LayerVersionArn"])

    return publish
