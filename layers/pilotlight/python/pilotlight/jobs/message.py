"""The message that asks for a job, as anyone may write it into the queue."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from pilotlight.errors import PilotlightError

JOB_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
MAX_BODY_BYTES = 1_048_576  # what SQS takes at most (botocore's SQS model, SendMessage)
MAX_DEPTH = 64  # far below where Python's own JSON encoder gives up
FIELDS = frozenset({"job_id", "payload"})


class MalformedJobError(PilotlightError):
    """A message that can never be run, however often it is delivered."""


@dataclass(frozen=True)
class JobMessage:
    """One job: data only. `payload` is whatever JSON value the sender wrote."""

    job_id: str
    payload: Any


def parse_message(body: str, message_id: str) -> JobMessage:
    """Read `{"job_id"?: str, "payload": any}`; without job_id the SQS message id is it.

    Raises MalformedJobError naming what is wrong; the message never quotes the payload.
    """
    document = _load(body)
    if not isinstance(document, dict):
        raise MalformedJobError(
            f'the body is a JSON {_kind(document)}: send an object {{"payload": ...}}'
        )
    unknown = sorted(set(document) - FIELDS)
    if unknown:
        raise MalformedJobError(
            f"unknown field {unknown[0][:64]!r}: job_id and payload are all there are"
        )
    if "payload" not in document:
        raise MalformedJobError("there is no field payload: send null when the job needs no data")
    if not _is_shallow(document):
        raise MalformedJobError(f"the payload is nested more than {MAX_DEPTH} levels deep")
    return JobMessage(_job_id(document.get("job_id", message_id)), document["payload"])


def _load(body: str) -> Any:
    size = len(body.encode("utf-8", "surrogatepass"))
    if size > MAX_BODY_BYTES:
        raise MalformedJobError(f"the body has {size} bytes; {MAX_BODY_BYTES} is the most")
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedJobError(
            f"the payload is nested more than {MAX_DEPTH} levels deep"
        ) from None
    except ValueError as error:  # json.JSONDecodeError, and integers of more than 4,300 digits
        raise MalformedJobError(f"the body is not JSON: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _job_id(value: object) -> str:
    if isinstance(value, str) and JOB_ID.fullmatch(value):
        return value
    shown = repr(value)[:80]
    raise MalformedJobError(f"job_id is {shown}: use 1 to 128 of A-Z a-z 0-9 . _ -")


def _is_shallow(value: object) -> bool:
    """Level by level rather than by recursion: the depth is the sender's to choose."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _kind(value: object) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return kinds.get(type(value), "null")
