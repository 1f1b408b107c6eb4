"""How a delivery ends: what is recorded of it, and what then becomes of its message.

The record comes first. A worker that dies in between leaves a message that comes again, and the
record tells whoever receives it how to go on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pilotlight.jobs import records
from pilotlight.jobs.attempts import ReceivedMessage, Tally, retry_delay_seconds
from pilotlight.jobs.dead_letter import DeadLetter
from pilotlight.jobs.records import Attributes, Run, Worker
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.lease import Lease
from pilotlight.worker.recording import Recording


class EndsQueue(Protocol):
    def delete(self, message: ReceivedMessage) -> None:
        """Never raises; a message whose delete fails comes again, as a duplicate."""
        ...


class EndsTable(Protocol):
    """Each answers False, and changes nothing, when its condition does not hold."""

    def succeed(self, run: Run, attributes: Attributes) -> bool: ...
    def amend(self, run: Run, attributes: Attributes) -> bool: ...
    def fail(self, run: Run, attributes: Attributes) -> bool:
        """Counts the failure even then."""
        ...

    def reject(self, message_id: str, attributes: Attributes) -> bool: ...


class QuickResults(Protocol):
    """See results."""

    def record(self, run: Run, attributes: Attributes) -> bool: ...


class GivingUp(Protocol):
    """See dead_lettering."""

    def reason(self, tally: Tally, deliveries: int) -> str | None: ...
    def record(self, now: float) -> Attributes: ...
    def carry_out(self, message: ReceivedMessage, lease: Lease, letter: DeadLetter) -> bool: ...


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD_LETTERED = "dead_lettered"
    DUPLICATE = "duplicate"
    HANDED_BACK = "handed_back"


@dataclass(frozen=True)
class Attempt:
    """One that is over. `saved` is what the table is to know of its checkpoints."""

    run: Run
    lease: Lease
    output_tail: str = ""
    saved: Attributes = field(default_factory=dict)


class Endings:
    def __init__(
        self,
        *,
        queue: EndsQueue,
        table: EndsTable,
        results: QuickResults,
        giving_up: GivingUp,
        worker: Worker,
        recording: Recording,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._queue = queue
        self._table = table
        self._results = results
        self._giving_up = giving_up
        self._worker = worker
        self._recording = recording
        self._clock = clock
        self._log = log

    def succeed(self, attempt: Attempt, result: str) -> Outcome:
        run = attempt.run
        attributes = records.succeeded(run, result, self._clock()) | attempt.saved
        first = self._record(attempt, lambda: self._record_result(run, attributes))
        if first is None:
            attempt.lease.hand_back(retry_delay_seconds(1))
            return Outcome.HANDED_BACK
        self._queue.delete(run.message)
        if not first:
            self._log("job_result_already_recorded", **named(run))
            return Outcome.DUPLICATE
        self._log("job_succeeded", **named(run), seconds=self._taken(run))
        return Outcome.SUCCEEDED

    def _record_result(self, run: Run, attributes: Attributes) -> bool:
        """An attempt that was overtaken may still be the first with a result, and says all anew."""
        if self._results.record(run, attributes) or self._table.amend(run, attributes):
            return True
        return self._table.succeed(run, records.running(run) | attributes)

    def fail(self, attempt: Attempt, error: str) -> Outcome:
        run, now = attempt.run, self._clock()
        attributes = records.failed(run, error, attempt.output_tail, now) | attempt.saved
        tally = run.past.tally.with_failure()
        self._log("job_failed", **named(run), error=error, failures=tally.failures)
        if self._giving_up.reason(tally, run.message.attempt):
            return self._give_up(attempt, attributes, tally, self._table.fail)
        self._record(attempt, lambda: self._table.fail(run, attributes))
        attempt.lease.hand_back(retry_delay_seconds(tally.failures))
        return Outcome.FAILED

    def interrupt(self, attempt: Attempt, why: str) -> Outcome:
        """The record is tried once: somebody else may be waiting for the message."""
        run = attempt.run
        self._log("job_interrupted", **named(run), detail=why, seconds=self._taken(run))
        attributes = records.interrupted(run, why, self._clock()) | attempt.saved
        self._recording.once(lambda: self._table.amend(run, attributes), named(run))
        attempt.lease.hand_back(0)
        return Outcome.HANDED_BACK

    def refuse(self, attempt: Attempt, reason: str) -> Outcome:
        """Of a delivery that began and is not run, for the job is given up."""
        attributes = records.refused(attempt.run, reason, self._clock())
        return self._give_up(attempt, attributes, attempt.run.past.tally, self._table.amend)

    def reject(self, message: ReceivedMessage, lease: Lease, why: str) -> Outcome:
        """Of a message that cannot be read: nothing is gained by delivering it again."""
        error, now, id_ = f"MalformedJob: {why}", self._clock(), message.message_id
        self._log("job_malformed", message_id=id_, error=error)
        attributes = records.malformed(message, error, now) | self._giving_up.record(now)
        recorded = self._recording.patiently(
            lambda: self._table.reject(id_, attributes), lease, {"message_id": id_}
        )
        if recorded is None:
            lease.hand_back(retry_delay_seconds(1))
            return Outcome.HANDED_BACK
        letter = self._letter(message, id_, error, Tally(failures=1), self._worker.log_stream)
        sent = self._giving_up.carry_out(message, lease, letter)
        return Outcome.DEAD_LETTERED if sent else Outcome.FAILED

    def acknowledge(self, run: Run, lease: Lease, before: Mapping[str, Any]) -> Outcome:
        """Of a delivery of a job that is over, by what the table says of it.

        A message is deleted for a result that was seen, never for a refusal alone.
        """
        state = before.get("state")
        if state == "succeeded":
            self._log("job_already_done", **named(run))
            self._queue.delete(run.message)
            return Outcome.DUPLICATE
        if state != "dead_lettered":
            self._log("job_refused_in_no_final_state", **named(run), state=state)
            lease.hand_back(retry_delay_seconds(1))
            return Outcome.HANDED_BACK
        letter = self._letter(
            run.message,
            run.job_id,
            str(before.get("error", "")),
            records.tally(before),
            str(before.get("log_stream", "")),
        )
        sent = self._giving_up.carry_out(run.message, lease, letter)
        return Outcome.DEAD_LETTERED if sent else Outcome.HANDED_BACK

    def _give_up(
        self,
        attempt: Attempt,
        attributes: Attributes,
        tally: Tally,
        write: Callable[[Run, Attributes], bool],
    ) -> Outcome:
        run = attempt.run
        attributes = attributes | self._giving_up.record(self._clock())
        if not self._record(attempt, lambda: write(run, attributes)):
            attempt.lease.hand_back(retry_delay_seconds(tally.failures))
            return Outcome.HANDED_BACK
        letter = self._letter(
            run.message, run.job_id, attributes["error"], tally, run.worker.log_stream
        )
        sent = self._giving_up.carry_out(run.message, attempt.lease, letter)
        return Outcome.DEAD_LETTERED if sent else Outcome.HANDED_BACK

    def _letter(
        self, message: ReceivedMessage, job_id: str, reason: str, tally: Tally, log_stream: str
    ) -> DeadLetter:
        group = self._worker.log_group
        return DeadLetter(message.body, job_id, reason, tally, group, log_stream)

    def _record(self, attempt: Attempt, write: Callable[[], bool]) -> bool | None:
        return self._recording.patiently(write, attempt.lease, named(attempt.run))

    def _taken(self, run: Run) -> float:
        return round(self._clock() - run.started_at, 3)


def named(run: Run) -> dict[str, str | int]:
    return {"job_id": run.job_id, "message_id": run.message.message_id, "attempt": run.attempt}
