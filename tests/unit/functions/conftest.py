import importlib.util
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pilotlight.observability import logger

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "GROUP_NAME": "pilotlight-workers",
    "READINESS_DOCUMENT": "pilotlight-readiness",
    "DRAIN_DOCUMENT": "pilotlight-drain",
    "SETUP_TIMEOUT_SECONDS": "900",
    "DRAIN_SECONDS": "60",
    "RETRY_SECONDS": "15",
    "LIFECYCLE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/lifecycle",
    "COMMAND_RESULT_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/result",
    "JOBS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
    "JOBS_PER_INSTANCE": "1",
    "WATCH_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/watch",
    "WATCH_SECONDS": "5",
    "TARGET_WAIT_SECONDS": "60",
    "START_SECONDS": "25",
    "MAX_USD_PER_DAY": "0",
    "INSTANCE_USD_PER_HOUR": "0",
    "SCHEDULE": "",
    "MANAGE_POOL": "false",
    "POOL_CONFIDENCE_PERCENT": "99",
    "ROOT_VOLUME_GIB": "30",
    "MAX_DISK_USD_PER_MONTH": "0",
    "MAX_SETUP_FAILURES": "3",
    "ALERT_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
}


class LambdaContext:
    function_name = "function"
    function_version = "$LATEST"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"


@pytest.fixture
def context() -> LambdaContext:
    return LambdaContext()


@pytest.fixture(scope="module")
def cold_starts() -> dict[object, ModuleType]:
    """Functions loaded so far: making boto3's clients is slow, and tests replace them anyway."""
    return {}


@pytest.fixture
def load_function(
    monkeypatch: pytest.MonkeyPatch, cold_starts: dict[object, ModuleType]
) -> Callable[..., ModuleType]:
    """Imports a function's module as Lambda does at its cold start, with its environment."""

    def load(name: str, **environment: str) -> ModuleType:
        key = (name, *environment.items())
        if key not in cold_starts:
            for variable, value in (ENVIRONMENT | environment).items():
                monkeypatch.setenv(variable, value)
            cold_starts[key] = cold_start(name)
        return cold_starts[key]

    return load


def cold_start(name: str) -> ModuleType:
    path = ROOT / "functions" / name / "app.py"
    spec = importlib.util.spec_from_file_location(f"{name}_app", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recorded_event() -> Callable[[str], dict[str, Any]]:
    """An event as AWS sends it, from events/; `sam local invoke` takes the same files."""

    def load(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
        return event

    return load


@pytest.fixture
def log_lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the function logged, one object a line."""
    stream = io.StringIO()
    handler: Any = logger.registered_handler
    before = handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().split("\n") if line]
    handler.setStream(before)
