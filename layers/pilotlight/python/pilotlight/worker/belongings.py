"""What a job has in the bucket: a payload too large for its message, and checkpoints."""

from collections.abc import Callable
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs.message import JobMessage, with_stored_payload
from pilotlight.worker.event_log import EventLog


class Bucket(Protocol):
    """Each raises one of AWS_CALL_ERRORS."""

    def payload(self, job_id: str, most_bytes: int) -> bytes | None: ...
    def delete_payload(self, job_id: str) -> None: ...
    def delete_checkpoints(self, job_id: str) -> None: ...


class Belongings:
    def __init__(self, bucket: Bucket, log: EventLog) -> None:
        self._bucket = bucket
        self._log = log

    def complete(self, job: JobMessage) -> JobMessage:
        """The job with its payload.

        Raises MalformedJobError when the bucket does not hold what the message speaks of, and one
        of AWS_CALL_ERRORS when it does not answer.
        """
        if job.stored is None:
            return job
        # One byte more than there should be is enough to see that it is not the same.
        content = self._bucket.payload(job.job_id, job.stored.size_bytes + 1)
        return with_stored_payload(job, content)

    def clear(self, job: JobMessage, may_have_saved: bool) -> None:
        """Once the result is recorded. What cannot be deleted now expires."""
        if job.stored is not None:
            self._clear("payload", job.job_id, self._bucket.delete_payload)
        if may_have_saved:
            self._clear("checkpoints", job.job_id, self._bucket.delete_checkpoints)

    def _clear(self, what: str, job_id: str, delete: Callable[[str], None]) -> None:
        try:
            delete(job_id)
        except AWS_CALL_ERRORS as error:
            self._log("not_cleared", what=what, job_id=job_id, error=str(error))
