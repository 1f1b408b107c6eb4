"""What is sent for a job: a message, and for a large payload an object in the bucket."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pilotlight.errors import PilotlightError
from pilotlight.jobs.message import (
    JOB_ID,
    JOB_ID_RULE,
    MAX_BODY_BYTES,
    MAX_DEPTH,
    MAX_STORED_BYTES,
    is_shallow,
)


class SubmissionError(PilotlightError):
    """A job that no worker would take; the message names the field and the remedy."""


@dataclass(frozen=True)
class Submission:
    """`body` goes to the queue, once `stored`, if there is any, is in the bucket."""

    job_id: str
    body: str
    stored: bytes | None = None


def submission(job_id: str, payload: Any) -> Submission:
    """Raises SubmissionError when the id or the payload is not what a worker takes."""
    if not JOB_ID.fullmatch(job_id):
        raise SubmissionError(f"job_id is {job_id[:80]!r}: {JOB_ID_RULE}")
    content = _text(payload)
    if len(content) > MAX_STORED_BYTES:
        raise SubmissionError(
            f"the payload of {job_id} has {len(content)} bytes and {MAX_STORED_BYTES} is the most: "
            "put the data into a bucket of your own, and its address into the payload"
        )
    body = f'{{"job_id":"{job_id}","payload":{content}}}'  # an id has nothing to escape
    if len(body) <= MAX_BODY_BYTES:
        _refuse_deep(body)
        return Submission(job_id, body)
    _refuse_deep(content)
    stored = content.encode()
    described = {"bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}
    return Submission(job_id, _text({"job_id": job_id, "payload_in_s3": described}), stored)


def _text(value: Any) -> str:
    """JSON in ASCII, so that its characters are its bytes."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise SubmissionError(f"the payload is not JSON: {error}") from error


def _refuse_deep(text: str) -> None:
    """Read again, for a payload may be of tuples, and of what else turns into lists."""
    if not is_shallow(json.loads(text)):
        raise SubmissionError(f"the payload is nested more than {MAX_DEPTH} levels deep")
