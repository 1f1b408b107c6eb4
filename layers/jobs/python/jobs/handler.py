"""The shipped example: trains or runs a small model that learns y = Ax + b.

    {"task": "train", "seed": 7, "steps": 200, "rows": 512, "checkpoint_every": 1000}
    {"task": "train", "inputs": [[0, 1], [1, 0]], "targets": [2, 3]}
    {"task": "predict", "inputs": [[1, 2]], "weights": [1, 1], "bias": 0}

On a CPU the same payload gives the same result, bit for bit, and so the same checksum: also when
the training was interrupted and went on elsewhere.
"""

import hashlib
import math
from typing import Any

import torch
from torch import Tensor

from jobs.training import Training
from pilotlight.jobs.job import Job

FEATURES = 8
MAX_STEPS = 100_000
MAX_ROWS = 1_000_000
CURVE_POINTS = 50


class PayloadError(ValueError):
    """The payload is not what this handler understands; the message names the field."""


class StoppedError(Exception):
    """The job was told to stop: it is given back, and goes on from its checkpoint elsewhere."""


def handle(payload: Any, job: Job) -> dict[str, Any]:
    """Returns what `task` asks for. Raises PayloadError, and so fails the job."""
    if not isinstance(payload, dict):
        raise PayloadError('the payload has to be an object such as {"task": "train"}')
    task = payload.get("task")
    if task == "train":
        return train(payload, job)
    if task == "predict":
        return predict(payload)
    raise PayloadError(f"task is {task!r}: it has to be train or predict")


def train(payload: dict[str, Any], job: Job) -> dict[str, Any]:
    """Fit the model to the payload's data, or to data made from its seed."""
    steps = _whole(payload, "steps", 200, MAX_STEPS)
    checkpoint_every = _whole(payload, "checkpoint_every", 10_000, MAX_STEPS)
    generator = torch.Generator().manual_seed(_whole(payload, "seed", 0, 2**31 - 1, least=0))
    training = Training(*_data(payload, generator), generator)
    training.restore(job)
    while len(training.losses) < steps:
        training.step()
        done = len(training.losses)
        if job.stopping or done % checkpoint_every == 0:
            training.save(job)
        if job.stopping and done < steps:
            raise StoppedError(f"after {done} of {steps} steps")
    return _outcome(training)


def _outcome(training: Training) -> dict[str, Any]:
    losses = torch.tensor(training.losses, dtype=torch.float64)
    if not math.isfinite(training.losses[-1]):
        raise PayloadError("the training diverged: scale inputs and targets to about 1")
    model = training.model
    return {
        "task": "train",
        "steps": len(losses),
        "first_loss": training.losses[0],
        "loss": training.losses[-1],
        "curve": training.losses[:: math.ceil(len(losses) / CURVE_POINTS)],
        "weights": model.weight.detach().flatten().tolist(),
        "bias": model.bias.item(),
        "checksum": _checksum(model.weight, model.bias, losses),
        "torch": torch.__version__,
        "device": training.device.type,
    }


def predict(payload: dict[str, Any]) -> dict[str, Any]:
    """Run the linear model that the payload holds, e.g. as `train` returned it."""
    inputs = _matrix(payload, "inputs")
    weights = _vector(payload, "weights", inputs.shape[1])
    bias = payload.get("bias", 0.0)
    if not _is_number(bias):
        raise PayloadError(f"bias is {bias!r}: it has to be a number")
    outputs = inputs @ weights + bias
    return {"task": "predict", "outputs": outputs.tolist(), "checksum": _checksum(outputs)}


def _data(payload: dict[str, Any], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    if "inputs" in payload or "targets" in payload:
        inputs = _matrix(payload, "inputs")
        return inputs, _vector(payload, "targets", len(inputs))
    rows = _whole(payload, "rows", 512, MAX_ROWS)
    inputs = torch.randn(rows, FEATURES, generator=generator)
    truth = torch.arange(1, FEATURES + 1, dtype=torch.float32)
    noise = 0.1 * torch.randn(rows, generator=generator)
    return inputs, inputs @ truth + 0.5 + noise


def _matrix(payload: dict[str, Any], name: str) -> Tensor:
    rows = payload.get(name)
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], list) or not rows[0]:
        raise PayloadError(f"{name} has to be a list of rows, each a list of numbers")
    width = len(rows[0])
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width or not all(map(_is_number, row)):
            raise PayloadError(f"{name}[{number}] has to be a list of {width} numbers")
    return torch.tensor(rows, dtype=torch.float32)


def _vector(payload: dict[str, Any], name: str, length: int) -> Tensor:
    values = payload.get(name)
    if not isinstance(values, list) or len(values) != length or not all(map(_is_number, values)):
        raise PayloadError(f"{name} has to be a list of {length} numbers")
    return torch.tensor(values, dtype=torch.float32)


def _whole(payload: dict[str, Any], name: str, default: int, most: int, *, least: int = 1) -> int:
    value = payload.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise PayloadError(f"{name} is {value!r}: a whole number from {least} to {most}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _checksum(*tensors: Tensor) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
