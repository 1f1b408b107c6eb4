"""One delivery of a job from its message to what is recorded of it."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs import records
from pilotlight.jobs.attempts import ReceivedMessage, retry_delay_seconds
from pilotlight.jobs.message import MalformedJobError, parse_message
from pilotlight.jobs.records import Attributes, Run
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.lease import Lease, VisibilityQueue
from pilotlight.worker.supervision import RunningProcess, StopSign, Supervision

# How long a result waits for a table that does not answer before the job is left to run again.
RECORD_SECONDS = 600.0
RECORD_RETRY_SECONDS = 3.0


class JobsQueue(VisibilityQueue, Protocol):
    def delete(self, message: ReceivedMessage) -> None: ...


class JobsTable(Protocol):
    """Each answers False, and changes nothing, when its condition does not hold."""

    def begin(self, run: Run, attributes: Attributes) -> bool: ...
    def succeed(self, run: Run, attributes: Attributes) -> bool: ...
    def end_without_result(self, run: Run, attributes: Attributes) -> bool: ...
    def reject(self, message_id: str, attributes: Attributes) -> bool: ...


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MALFORMED = "malformed"
    DUPLICATE = "duplicate"
    HANDED_BACK = "handed_back"


class JobRunner:
    def __init__(
        self,
        *,
        queue: JobsQueue,
        table: JobsTable,
        stop: StopSign,
        instance_id: str,
        visibility_timeout_seconds: int,
        job_timeout_seconds: int,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        log: EventLog,
    ) -> None:
        self._queue = queue
        self._table = table
        self._stop = stop
        self._instance_id = instance_id
        self._visibility_timeout_seconds = visibility_timeout_seconds
        self._job_timeout_seconds = job_timeout_seconds
        self._clock = clock
        self._sleep = sleep
        self._log = log

    def run(
        self, message: ReceivedMessage, process: RunningProcess, worker_ready_at: float
    ) -> Outcome:
        """Never raises for what a message, a job or AWS does; a failed message comes again."""
        lease = self._lease(message)
        try:
            job = parse_message(message.body, message.message_id)
        except MalformedJobError as error:
            return self._reject(message, lease, str(error))
        run = Run(job.job_id, self._instance_id, message, self._clock(), worker_ready_at)
        try:
            if not self._table.begin(run, records.running(run)):
                return self._acknowledge_duplicate(run)
        except AWS_CALL_ERRORS as error:
            self._log("job_not_started", job_id=job.job_id, error=str(error))
            lease.hand_back(retry_delay_seconds(message.attempt))
            return Outcome.HANDED_BACK
        self._log("job_started", **_named(run), sent_at=message.sent_at)
        supervision = Supervision(process, lease, self._stop, self._clock, self._log)
        answer = supervision.see_through(job, run, self._job_timeout_seconds)
        if answer.interrupted:
            return self._hand_back(run, lease, answer.interrupted)
        if answer.result is None:
            return self._fail(run, lease, answer.error, supervision.output_tail)
        return self._succeed(run, lease, answer.result)

    def hand_back_unstarted(self, message: ReceivedMessage) -> None:
        self._log("message_handed_back", message_id=message.message_id)
        self._lease(message).hand_back(0)

    def _lease(self, message: ReceivedMessage) -> Lease:
        return Lease(self._queue, message, self._visibility_timeout_seconds, self._clock, self._log)

    def _succeed(self, run: Run, lease: Lease, result: str) -> Outcome:
        attributes = records.succeeded(run, result, self._clock())
        first = self._record(lease, run, lambda: self._table.succeed(run, attributes))
        if first is None:
            lease.hand_back(retry_delay_seconds(run.message.attempt))
            return Outcome.HANDED_BACK
        self._delete(run)
        if not first:
            self._log("job_result_already_recorded", **_named(run))
            return Outcome.DUPLICATE
        self._log("job_succeeded", **_named(run), seconds=self._taken(run))
        return Outcome.SUCCEEDED

    def _fail(self, run: Run, lease: Lease, error: str, output_tail: str) -> Outcome:
        delay_seconds = retry_delay_seconds(run.message.attempt)
        self._log("job_failed", **_named(run), error=error, retry_after_seconds=delay_seconds)
        attributes = records.failed(error, output_tail, self._clock())
        self._record(lease, run, lambda: self._table.end_without_result(run, attributes))
        lease.hand_back(delay_seconds)
        return Outcome.FAILED

    def _hand_back(self, run: Run, lease: Lease, why: str) -> Outcome:
        lease.hand_back(0)  # first of all: somebody else may be waiting for it
        self._log("job_interrupted", **_named(run), detail=why, seconds=self._taken(run))
        attributes = records.interrupted(why, self._clock())
        self._record(lease, run, lambda: self._table.end_without_result(run, attributes))
        return Outcome.HANDED_BACK

    def _reject(self, message: ReceivedMessage, lease: Lease, why: str) -> Outcome:
        """Left to the redrive policy, which counts receives: the sender may want to see it."""
        self._log("job_malformed", message_id=message.message_id, error=f"MalformedJob: {why}")
        attributes = records.malformed(message, f"MalformedJob: {why}", self._clock())
        try:
            self._table.reject(message.message_id, attributes)
        except AWS_CALL_ERRORS as error:
            self._log("not_recorded", message_id=message.message_id, error=str(error))
        lease.hand_back(retry_delay_seconds(message.attempt))
        return Outcome.MALFORMED

    def _acknowledge_duplicate(self, run: Run) -> Outcome:
        self._log("job_already_done", **_named(run))
        self._delete(run)
        return Outcome.DUPLICATE

    def _record(self, lease: Lease, run: Run, write: Callable[[], bool]) -> bool | None:
        """The write's answer; None when the table stayed out of reach, or the instance leaves."""
        give_up_at = self._clock() + RECORD_SECONDS
        while True:
            try:
                return write()
            except AWS_CALL_ERRORS as error:
                self._log("not_recorded", **_named(run), error=str(error))
            stop_at = min(give_up_at, self._stop.hand_back_at or give_up_at)
            if self._clock() + RECORD_RETRY_SECONDS >= stop_at:
                return None
            lease.keep()
            self._sleep(RECORD_RETRY_SECONDS)

    def _delete(self, run: Run) -> None:
        """When it fails the message comes again, and is acknowledged as a duplicate."""
        try:
            self._queue.delete(run.message)
        except AWS_CALL_ERRORS as error:
            self._log("message_not_deleted", **_named(run), error=str(error))

    def _taken(self, run: Run) -> float:
        return round(self._clock() - run.started_at, 3)


def _named(run: Run) -> dict[str, str | int]:
    return {
        "job_id": run.job_id,
        "message_id": run.message.message_id,
        "attempt": run.message.attempt,
    }
