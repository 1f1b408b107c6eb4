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
OF_LAMBDA = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
OF_THE_TEMPLATE = json.loads((ROOT / "events" / "environment.json").read_text())["Parameters"]


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
            for variable, value in (OF_LAMBDA | OF_THE_TEMPLATE | environment).items():
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
