"""One delivery of a job from its message to its ending."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from pilotlight.aws.jobs_table import Claim
from pilotlight.jobs import records
from pilotlight.jobs.attempts import MAX_RETRY_DELAY_SECONDS, ReceivedMessage
from pilotlight.jobs.message import JobMessage, MalformedJobError, parse_message
from pilotlight.jobs.records import Attributes, Run, Worker
from pilotlight.worker.belongings import Belongings
from pilotlight.worker.checkpoint_notes import CheckpointNotes
from pilotlight.worker.endings import (
    Attempt,
    Endings,
    EndsQueue,
    EndsTable,
    GivingUp,
    Outcome,
    QuickResults,
    named,
)
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.lease import Lease, VisibilityQueue
from pilotlight.worker.recording import Recording
from pilotlight.worker.supervision import Bounds, RunningProcess, StopSign, Supervision

Finish = Callable[[], Outcome]


class JobsTable(EndsTable, Protocol):
    def begin(self, run: Run, attributes: Attributes) -> Claim: ...


class BatchTable(Protocol):
    def begin(self, beginnings: Sequence[tuple[Run, Attributes]]) -> Sequence[bool]: ...


@dataclass(frozen=True)
class JobSettings:
    visibility_timeout_seconds: int
    job_timeout_seconds: int  # of one attempt
    job_memory_mib: int = 0  # of a job and what it started; 0 is no limit of ours


class JobRunner:
    def __init__(
        self,
        *,
        queue: VisibilityQueue,
        deletes: EndsQueue,
        table: JobsTable,
        batch: BatchTable,
        results: QuickResults,
        belongings: Belongings,
        giving_up: GivingUp,
        stop: StopSign,
        worker: Worker,
        settings: JobSettings,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        log: EventLog,
    ) -> None:
        self._queue = queue
        self._table = table
        self._batch = batch
        self._belongings = belongings
        self._giving_up = giving_up
        self._stop = stop
        self._worker = worker
        self._settings = settings
        self._clock = clock
        self._log = log
        self._recording = Recording(stop, clock, sleep, log)
        self._endings = Endings(
            queue=deletes,
            table=table,
            results=results,
            giving_up=giving_up,
            worker=worker,
            recording=self._recording,
            clock=clock,
            log=log,
        )

    def run(
        self,
        message: ReceivedMessage,
        claimed: Run | None,
        process: RunningProcess,
        worker_ready_at: float,
    ) -> Finish:
        """Until the process is free again; what is left to be done needs it no more.

        Never raises for what a message, a job or AWS does; a failed message comes again.
        """
        lease = self._lease(message)
        try:
            job = parse_message(message.body, message.message_id)
        except MalformedJobError as error:
            return partial(self._endings.reject, message, lease, str(error))
        if claimed is not None:
            return self._run_with_payload(job, claimed, lease, process)
        run = Run(job.job_id, self._worker, message, self._clock(), worker_ready_at)
        claim = self._claim(run, lease)
        if claim is None:
            return partial(self._give_back, lease)
        if not claim.granted:
            return partial(self._endings.acknowledge, run, lease, claim.before)
        run = replace(run, past=records.past(claim.before, message))
        reason = self._giving_up.reason(run.past.tally, message.attempt)
        if reason is not None:
            return partial(self._endings.refuse, Attempt(run, lease), reason)
        return self._run_with_payload(job, run, lease, process)

    def claim_all(
        self, messages: Sequence[ReceivedMessage], worker_ready_at: float
    ) -> Sequence[Run | None]:
        """Record at once that they run; None for each that has to be claimed by itself.

        Only a first delivery can be of a job that the table knows nothing of. Should the answer be
        lost, `run` finds its own claim there.
        """
        now = self._clock()
        runs = [self._first_run(message, now, worker_ready_at) for message in messages]
        firsts = [run for run in runs if run is not None]
        if not firsts:
            return runs
        recorded = self._recording.once(
            lambda: self._batch.begin([(run, records.running(run)) for run in firsts]),
            {"messages": len(firsts)},
        )
        claimed = {run for run, ok in zip(firsts, recorded or [], strict=False) if ok}
        return [run if run in claimed else None for run in runs]

    def hand_back_unstarted(self, message: ReceivedMessage, claimed: Run | None) -> None:
        self._log("message_handed_back", message_id=message.message_id)
        if claimed is None:
            self._lease(message).hand_back(0)
        else:
            self._endings.interrupt(Attempt(claimed, self._lease(message)), "no slot was free")

    def _first_run(
        self, message: ReceivedMessage, now: float, worker_ready_at: float
    ) -> Run | None:
        if message.attempt > 1:
            return None
        try:
            job_id = parse_message(message.body, message.message_id).job_id
        except MalformedJobError:
            return None  # `run` says so
        return Run(job_id, self._worker, message, now, worker_ready_at)

    def _give_back(self, lease: Lease) -> Outcome:
        lease.hand_back(0 if self._stop.hand_back_at else MAX_RETRY_DELAY_SECONDS)
        return Outcome.HANDED_BACK

    def _lease(self, message: ReceivedMessage) -> Lease:
        seconds = self._settings.visibility_timeout_seconds
        return Lease(self._queue, message, seconds, self._clock, self._log)

    def _claim(self, run: Run, lease: Lease) -> Claim | None:
        """None when the table stayed out of reach: no job starts without being recorded."""
        attributes = records.running(run)
        return self._recording.while_staying(
            lambda: self._table.begin(run, attributes), lease, named(run)
        )

    def _run_with_payload(
        self, sent: JobMessage, run: Run, lease: Lease, process: RunningProcess
    ) -> Finish:
        try:
            job = self._recording.while_staying(
                lambda: self._belongings.complete(sent), lease, named(run)
            )
        except MalformedJobError as error:
            return partial(self._endings.refuse, Attempt(run, lease), f"MalformedJob: {error}")
        if job is None:
            why = "its payload could not be read from the bucket"
            return partial(self._endings.interrupt, Attempt(run, lease), why)
        if self._stop.hand_back_at:  # told while the calls above were answered, perhaps slowly
            why = "the instance was told to leave before the job began"
            return partial(self._endings.interrupt, Attempt(run, lease), why)
        return self._see_through(job, run, lease, process)

    def _see_through(
        self, job: JobMessage, run: Run, lease: Lease, process: RunningProcess
    ) -> Finish:
        self._log("job_started", **named(run), sent_at=run.message.sent_at)
        notes = CheckpointNotes(run, self._table, self._recording, self._clock, self._log)
        bounds = Bounds(
            self._settings.job_timeout_seconds, self._settings.job_memory_mib << 20, self._stop
        )
        supervision = Supervision(process, lease, bounds, notes, self._clock, self._log)
        answer = supervision.see_through(job, run)
        attempt = Attempt(run, lease, supervision.output_tail, notes.attributes)
        if answer.interrupted:
            return partial(self._endings.interrupt, attempt, answer.interrupted)
        if answer.result is None:
            return partial(self._endings.fail, attempt, answer.error)
        return partial(self._succeed, job, attempt, answer.result)

    def _succeed(self, job: JobMessage, attempt: Attempt, result: str) -> Outcome:
        outcome = self._endings.succeed(attempt, result)
        if outcome is not Outcome.HANDED_BACK:
            may_have_saved = bool(attempt.saved) or attempt.run.attempt > 1
            self._belongings.clear(job, may_have_saved)
        return outcome
