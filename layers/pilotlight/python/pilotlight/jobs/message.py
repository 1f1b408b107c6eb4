"""The message that asks for a job, as anyone may write it into the queue.

A payload that is too large for a message lies in the jobs bucket, under a key that derives from
the job's id: a message never says where to read.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from pilotlight.errors import PilotlightError

# . and .. are names of folders wherever a key or a path is made of the id.
JOB_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,128}", re.ASCII)
JOB_ID_RULE = "use 1 to 128 of A-Z a-z 0-9 . _ -, but not . or .. alone"
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
MAX_BODY_BYTES = 1_048_576  # what SQS takes at most (botocore's SQS model, SendMessage)
MAX_STORED_BYTES = 64 * 1_048_576  # of a payload in S3: each slot of a worker holds one in memory
MAX_DEPTH = 64  # far below where Python's own JSON encoder gives up
FIELDS = frozenset({"job_id", "payload", "payload_in_s3"})


class MalformedJobError(PilotlightError):
    """A message that can never be run, however often it is delivered."""


@dataclass(frozen=True)
class StoredPayload:
    """What the bucket has to hold for a job: the size, and the digest in hexadecimal."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class JobMessage:
    """One job: data only. `payload` is whatever JSON value the sender wrote.

    With `stored` it comes from the bucket: see with_stored_payload.
    """

    job_id: str
    payload: Any
    stored: StoredPayload | None = None


def parse_message(body: str, message_id: str) -> JobMessage:
    """Read `{"job_id"?: str, "payload": any}`; without job_id the SQS message id is it.

    Instead of `payload` there may be `"payload_in_s3": {"bytes": int, "sha256": str}`.
    Raises MalformedJobError naming what is wrong; the message never quotes the payload.
    """
    size_bytes = len(body.encode("utf-8", "surrogatepass"))
    if size_bytes > MAX_BODY_BYTES:
        raise MalformedJobError(f"the body has {size_bytes} bytes; {MAX_BODY_BYTES} is the most")
    document = load_json(body, "body")
    if not isinstance(document, dict):
        raise MalformedJobError(
            f'the body is a JSON {_kind(document)}: send an object {{"payload": ...}}'
        )
    unknown = sorted(set(document) - FIELDS)
    if unknown:
        raise MalformedJobError(
            f"unknown field {unknown[0][:64]!r}: job_id and payload are all there are"
        )
    if "payload_in_s3" in document:
        return _stored_job(document)
    if "payload" not in document:
        raise MalformedJobError("there is no field payload: send null when the job needs no data")
    return JobMessage(_job_id(document.get("job_id", message_id)), document["payload"])


def with_stored_payload(job: JobMessage, content: bytes | None) -> JobMessage:
    """The job, complete with what the bucket holds for it; None: it holds nothing.

    Raises MalformedJobError when that is not what the message speaks of.
    """
    if job.stored is None:
        return job
    if content is None:
        raise MalformedJobError(
            "its payload is not in the bucket: it is kept for 14 days, or until the job succeeds"
        )
    if StoredPayload(len(content), hashlib.sha256(content).hexdigest()) != job.stored:
        raise MalformedJobError(
            "the payload in the bucket is not the one that was sent with this message: "
            "has another job been submitted with the same job_id?"
        )
    return replace(job, payload=load_json(content, "payload"))


def _stored_job(document: Mapping[str, Any]) -> JobMessage:
    if "payload" in document:
        raise MalformedJobError("there are both payload and payload_in_s3: send one of them")
    if "job_id" not in document:
        raise MalformedJobError("there is no job_id: the key of payload_in_s3 derives from it")
    stored = document["payload_in_s3"]
    if not isinstance(stored, dict) or set(stored) != {"bytes", "sha256"}:
        raise MalformedJobError("payload_in_s3 has to be an object with bytes and sha256")
    size_bytes, sha256 = stored["bytes"], stored["sha256"]
    if type(size_bytes) is not int or not 0 < size_bytes <= MAX_STORED_BYTES:
        raise MalformedJobError(
            f"payload_in_s3.bytes is {_shown(size_bytes)}: 1 to {MAX_STORED_BYTES}"
        )
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise MalformedJobError(
            f"payload_in_s3.sha256 is {_shown(sha256)}: 64 hexadecimal digits in lower case"
        )
    return JobMessage(_job_id(document["job_id"]), None, StoredPayload(size_bytes, sha256))


def load_json(text: str | bytes, what: str) -> Any:
    """JSON that everybody reads alike, and no deeper than it can be worked with.

    Raises MalformedJobError, of which `what` is the subject.
    """
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:  # no JSON, no UTF-8, or an integer of more than 4,300 digits
        raise MalformedJobError(f"the {what} is not JSON: {error}") from error
    if not is_shallow(value):
        raise _too_deep(what)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    """Python takes 1e999 for an infinity, which has no JSON to hand it on in."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a field that is there twice, one reader takes the first and another the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a field twice")
    return found


def _too_deep(what: str) -> MalformedJobError:
    return MalformedJobError(f"the {what} is nested more than {MAX_DEPTH} levels deep")


def _job_id(value: object) -> str:
    if isinstance(value, str) and JOB_ID.fullmatch(value):
        return value
    raise MalformedJobError(f"job_id is {_shown(value)}: {JOB_ID_RULE}")


def is_shallow(value: object) -> bool:
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


def _shown(value: object) -> str:
    return repr(value)[:80]


def _kind(value: object) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return kinds.get(type(value), "null")
