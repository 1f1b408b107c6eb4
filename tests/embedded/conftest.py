"""One embedded AWS per test worker, shared by its tests: they name what they make uniquely."""

from __future__ import annotations

import io
import json
import textwrap
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

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


TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@pytest.fixture
def make_function(cloud: EmbeddedCloud, unique: Callable[[str], str]) -> Callable[..., str]:
    """`make_function(code, statement, ..., environment={}, **settings)`: ARN of a new function.

    `code` is app.py with `handler`; its role may write logs and what the statements allow.
    """

    def make(
        code: str,
        *statements: dict[str, Any],
        environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> str:
        name = unique("function")
        iam = cloud.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_LAMBDA))
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC_EXECUTION)
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as writer:
            writer.writestr("app.py", textwrap.dedent(code))
        functions = cloud.client("lambda")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": environment or {}},
            **{"Timeout": 20, **settings},
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        arn: str = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        return arn

    return make


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
