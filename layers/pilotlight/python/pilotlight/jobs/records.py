"""What the jobs table says of a job, attribute by attribute. Times are epoch seconds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pilotlight.errors import PilotlightError
from pilotlight.jobs.attempts import ReceivedMessage, Tally

KEEP_SECONDS = 14 * 86_400  # as long as SQS can keep a message
MAX_RESULT_BYTES = 350_000  # a DynamoDB item holds 400 KB with everything else in it
MAX_ERROR_CHARACTERS = 2_000
MAX_OUTPUT_CHARACTERS = 4_000
MAX_HISTORY = 50  # attempts; later ones are not kept
MAX_HISTORY_ERROR_CHARACTERS = 200

# `history` is a list of maps, and what a record says of it is appended to it.
Attributes = dict[str, Any]


class ResultError(PilotlightError):
    """What the handler returned cannot be recorded."""


@dataclass(frozen=True)
class Worker:
    """Who works, and where its log is (CloudWatch Logs); "" when it keeps none there."""

    instance_id: str
    log_group: str = ""
    log_stream: str = ""


@dataclass(frozen=True)
class Past:
    """What the table said of the job when an attempt at it began."""

    tally: Tally = field(default_factory=Tally)
    attempt_offset: int = 0  # attempts before the job was replayed as a new message
    history_length: int = 0
    lost: tuple[Attributes, ...] = ()  # the attempt that began and never ended, if there is one


@dataclass(frozen=True)
class Run:
    """One attempt that has begun: enough to tell it from every other attempt at the same job."""

    job_id: str
    worker: Worker
    message: ReceivedMessage
    started_at: float
    worker_ready_at: float
    past: Past = field(default_factory=Past)

    @property
    def attempt(self) -> int:
        """Greater than that of every earlier attempt at the job, replays included."""
        return self.past.attempt_offset + self.message.attempt


def past(before: Mapping[str, Any], message: ReceivedMessage) -> Past:
    """Of the job's item as it was before the attempt with `message`; empty when there was none.

    What already speaks of this very delivery is no earlier attempt: a write whose answer was lost.
    """
    known = ("attempt", "instance_id", "received_at", "started_at")
    entry = {name: before[name] for name in known if name in before} | {
        "state": "lost",
        "error": "never heard of again: lost with its worker, or overtaken",
    }
    deliveries = int(before.get("attempt", 0)) - int(before.get("attempt_offset", 0))
    same = (before.get("message_id"), deliveries) == (message.message_id, message.attempt)
    return Past(
        tally=tally(before),
        attempt_offset=int(before.get("attempt_offset", 0)),
        history_length=len(before.get("history", ())),
        lost=(entry,) if before.get("state") == "running" and not same else (),
    )


def tally(item: Mapping[str, Any]) -> Tally:
    return Tally(int(item.get("failures", 0)), int(item.get("interruptions", 0)))


def running(run: Run) -> Attributes:
    """`attempt` is the receive count; the table adds the attempts before a replay."""
    return {
        "state": "running",
        "attempt": run.message.attempt,
        "instance_id": run.worker.instance_id,
        "log_stream": run.worker.log_stream,
        "message_id": run.message.message_id,
        "sent_at": run.message.sent_at,
        "received_at": run.message.received_at,
        "started_at": run.started_at,
        "worker_ready_at": run.worker_ready_at,
        "expires_at": _expires_at(run.started_at),
    }


def succeeded(run: Run, result: str, now: float) -> Attributes:
    """What a result adds to the record of the latest attempt. `result` is JSON text."""
    return {
        "state": "succeeded",
        "finished_at": now,
        "result": result,
        "expires_at": _expires_at(now),
        **_history(run, "succeeded", "", now),
    }


def failed(run: Run, error: str, output_tail: str, now: float) -> Attributes:
    return {
        "state": "failed",
        "failures": run.past.tally.with_failure().failures,
        "finished_at": now,
        "error": _printable(error)[:MAX_ERROR_CHARACTERS],
        "output_tail": _printable(output_tail)[-MAX_OUTPUT_CHARACTERS:],
        "expires_at": _expires_at(now),
        **_history(run, "failed", error, now),
    }


def interrupted(run: Run, reason: str, now: float) -> Attributes:
    return {
        "state": "interrupted",
        "interruptions": run.past.tally.with_interruption().interruptions,
        "finished_at": now,
        "error": _printable(reason)[:MAX_ERROR_CHARACTERS],
        "expires_at": _expires_at(now),
        **_history(run, "interrupted", reason, now),
    }


def dead_lettered(now: float) -> Attributes:
    """What giving the job up adds to the record of its last attempt. Final until replayed."""
    return {"state": "dead_lettered", "dead_lettered_at": now, "expires_at": _expires_at(now)}


def refused(run: Run, reason: str, now: float) -> Attributes:
    """Of a delivery that was not run, since the job was handed out too often."""
    lost = {"history": [*run.past.lost]} if _has_room(run) and run.past.lost else {}
    return dead_lettered(now) | {"finished_at": now, "error": reason, **lost}


def malformed(message: ReceivedMessage, error: str, now: float) -> Attributes:
    """Of a message that cannot be read, hence recorded under its message id."""
    return {
        "state": "failed",
        "failures": 1,
        "attempt": message.attempt,
        "message_id": message.message_id,
        "sent_at": message.sent_at,
        "received_at": message.received_at,
        "finished_at": now,
        "error": _printable(error)[:MAX_ERROR_CHARACTERS],
        "expires_at": _expires_at(now),
    }


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


def _history(run: Run, state: str, error: str, now: float) -> Attributes:
    """The attempt that ended, after the one before it should that have been lost."""
    entry = {
        "attempt": run.attempt,
        "instance_id": run.worker.instance_id,
        "received_at": run.message.received_at,
        "started_at": run.started_at,
        "finished_at": now,
        "state": state,
    }
    if error:
        entry["error"] = _printable(error)[:MAX_HISTORY_ERROR_CHARACTERS]
    return {"history": [*run.past.lost, entry]} if _has_room(run) else {}


def _has_room(run: Run) -> bool:
    return run.past.history_length + len(run.past.lost) < MAX_HISTORY


def _expires_at(now: float) -> int:
    return int(now) + KEEP_SECONDS


def _printable(text: str) -> str:
    """Half of a surrogate pair is valid in JSON and in Python, but not in UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
