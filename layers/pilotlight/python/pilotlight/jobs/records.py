"""What the jobs table says of a job, attribute by attribute. Times are epoch seconds."""

import json
from dataclasses import dataclass
from typing import Any

from pilotlight.errors import PilotlightError
from pilotlight.jobs.attempts import ReceivedMessage

KEEP_SECONDS = 14 * 86_400  # as long as SQS can keep a message
MAX_RESULT_BYTES = 350_000  # a DynamoDB item holds 400 KB with everything else in it
MAX_ERROR_CHARACTERS = 2_000
MAX_OUTPUT_CHARACTERS = 4_000

Attributes = dict[str, str | int | float]


class ResultError(PilotlightError):
    """What the handler returned cannot be recorded."""


@dataclass(frozen=True)
class Run:
    """One attempt that has begun: enough to tell it from every other attempt at the same job."""

    job_id: str
    instance_id: str
    message: ReceivedMessage
    started_at: float
    worker_ready_at: float


def running(run: Run) -> Attributes:
    return {
        "state": "running",
        "attempt": run.message.attempt,
        "instance_id": run.instance_id,
        "message_id": run.message.message_id,
        "sent_at": run.message.sent_at,
        "received_at": run.message.received_at,
        "started_at": run.started_at,
        "worker_ready_at": run.worker_ready_at,
        "expires_at": _expires_at(run.started_at),
    }


def succeeded(run: Run, result: str, now: float) -> Attributes:
    """Complete in itself, in case nothing was recorded at the start. `result` is JSON text."""
    return running(run) | {
        "state": "succeeded",
        "finished_at": now,
        "result": result,
        "expires_at": _expires_at(now),
    }


def failed(error: str, output_tail: str, now: float) -> Attributes:
    return {
        "state": "failed",
        "finished_at": now,
        "error": _printable(error)[:MAX_ERROR_CHARACTERS],
        "output_tail": _printable(output_tail)[-MAX_OUTPUT_CHARACTERS:],
        "expires_at": _expires_at(now),
    }


def malformed(message: ReceivedMessage, error: str, now: float) -> Attributes:
    """Of a message that cannot be read, hence recorded under its message id."""
    return failed(error, "", now) | {
        "attempt": message.attempt,
        "message_id": message.message_id,
        "sent_at": message.sent_at,
        "received_at": message.received_at,
    }


def interrupted(reason: str, now: float) -> Attributes:
    return {"state": "interrupted", "finished_at": now, "error": reason}


def result_text(result: Any) -> str:
    """Raises ResultError when the result is not JSON or too large for the table."""
    try:
        text = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(f"the result is not JSON: {error}") from error
    if len(text) > MAX_RESULT_BYTES:
        raise ResultError(
            f"the result has {len(text)} bytes, {MAX_RESULT_BYTES} is the most: "
            "store it elsewhere and return where it is"
        )
    return text


def _expires_at(now: float) -> int:
    return int(now) + KEEP_SECONDS


def _printable(text: str) -> str:
    """Half of a surrogate pair is valid in JSON and in Python, but not in UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
