"""Cold starts against their floor, and warm handlers, with the interpreter of the Lambda runtime.

The floor is `import boto3` and the clients that the function makes: what no function does without.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, PackagePath, files
from itertools import chain
from pathlib import Path
from statistics import median, quantiles

from benchmarks.rows import Row
from cli.deploy import ROOT

PYTHON = ROOT / ".tools" / "lambda-runtime" / "bin" / "python"
PROBE = Path(__file__).with_name("lambda_probe.py")
FUNCTIONS = ROOT / "functions"
ENVIRONMENT = ROOT / "events" / "environment.json"
REQUIREMENTS = ROOT / "layers" / "powertools" / "requirements.txt"
# By function; on_queue_depth has two.
EVENTS = {
    "on_lifecycle_action": ("on_lifecycle_action",),
    "on_command_result": ("on_command_result",),
    "on_queue_depth": ("on_queue_depth", "on_queue_depth_tick"),
    "reconcile": ("reconcile",),
}
MOST_TIMES_FLOOR = 1.3
MILLISECONDS = 1000.0


def function_rows(scratch: Path, rounds: int) -> Iterator[Row]:
    environment = _environment(_powertools_layer(scratch))
    for function in EVENTS:
        yield _init_row(function, environment, rounds)
    for function, events in EVENTS.items():
        for event in events:
            yield _handler_row(function, event, environment)


def _init_row(function: str, environment: Mapping[str, str], rounds: int) -> Row:
    """Alternating, so that a noisy moment meets both alike; the first round fills caches."""
    services = _services(function)
    floors, inits = [], []
    for _ in range(rounds + 1):
        floors.append(_probe(environment, "floor", *services))
        inits.append(_probe(environment, "init", function))
    floor, init = median(floors[1:]), median(inits[1:])
    return Row(
        f"init of {function}",
        init / floor,
        "x floor",
        f"{init * MILLISECONDS:.0f} ms to {floor * MILLISECONDS:.0f} ms for boto3 and its "
        f"{len(services)} clients, {rounds} alternating runs",
        at_most=MOST_TIMES_FLOOR,
    )


def _handler_row(function: str, event: str, environment: Mapping[str, str]) -> Row:
    taken = _probe(environment, "handle", function, event)
    slowest = quantiles(taken, n=20)[-1]
    return Row(
        f"handler of {function}" if event == function else f"handler of {function}, {event}",
        median(taken) * MILLISECONDS,
        "ms",
        f"p95 {slowest * MILLISECONDS:.2f} ms; AWS answers at once; events/{event}.json",
    )


def _probe(environment: Mapping[str, str], *arguments: str):  # type: ignore[no-untyped-def]  # JSON
    command = [str(PYTHON), str(PROBE), *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stderr}")
    return json.loads(ended.stdout.splitlines()[-1])  # before it come the function's own lines


def _services(function: str) -> list[str]:
    """Those that its module makes a client of, in that order."""
    source = (FUNCTIONS / function / "app.py").read_text(encoding="utf-8")
    return re.findall(r'boto3\.client\("([a-z0-9]+)"', source)


def _powertools_layer(scratch: Path) -> Path:
    """The layer's packages, as this environment has them: the layer itself has those of Lambda's
    own Python and processor."""
    folder = scratch / "powertools-layer"
    shutil.rmtree(folder, ignore_errors=True)
    names = re.findall(r"^([\w.-]+)==", REQUIREMENTS.read_text(encoding="utf-8"), re.M)
    for file in chain.from_iterable(map(_files, names)):
        if file.suffix != ".pyc" and ".." not in file.parts:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
    return folder


def _files(package: str) -> Sequence[PackagePath]:
    """None of tzdata, which computers with time zones of their own need not have."""
    try:
        return files(package) or ()
    except PackageNotFoundError:
        return ()


def _environment(layer: Path) -> dict[str, str]:
    """Of every function together; the traces are off, as the template ships."""
    paths = [FUNCTIONS, ROOT / "layers" / "pilotlight" / "python", layer]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "POWERTOOLS_TRACE_DISABLED": "true",
        **json.loads(ENVIRONMENT.read_text(encoding="utf-8"))["Parameters"],
    }
