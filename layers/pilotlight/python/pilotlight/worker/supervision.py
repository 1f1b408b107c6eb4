"""Watching over one job while its process runs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pilotlight.jobs.attempts import CEILING_NOTICE_SECONDS, lease_ends_at
from pilotlight.jobs.message import JobMessage
from pilotlight.jobs.records import MAX_OUTPUT_CHARACTERS, Run
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Ended, Event, Printed, Said
from pilotlight.worker.lease import Lease

POLL_SECONDS = 0.5
MEMORY_SECONDS = 1.0  # between two looks; the kernel's own limit is there for what is faster
MIB = 1 << 20


class RunningProcess(Protocol):
    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError when the process is gone or does not listen."""
        ...

    def events(self, timeout_seconds: float) -> Sequence[Event]: ...

    def memory_bytes(self) -> int: ...

    def kill(self) -> None: ...


class StopSign(Protocol):
    """`hand_back_at` is set when the instance is leaving: the moment at which jobs are ended."""

    @property
    def hand_back_at(self) -> float | None: ...


class Notes(Protocol):
    def take(self, message: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Bounds:
    """What ends an attempt. `memory_bytes` 0 is no limit of ours."""

    timeout_seconds: float
    memory_bytes: int
    stop: StopSign


@dataclass(frozen=True)
class Answer:
    """How it ended: with a result (JSON text), an interruption, or else an error."""

    result: str | None = None
    error: str = ""
    interrupted: str = ""


class Supervision:
    """Keeps the lease, hears what the job says, and ends it when it goes beyond its bounds.

    After an answer with an error that the handler did not raise itself the process is dead.
    """

    def __init__(
        self,
        process: RunningProcess,
        lease: Lease,
        bounds: Bounds,
        checkpoints: Notes,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._process = process
        self._lease = lease
        self._bounds = bounds
        self._checkpoints = checkpoints
        self._clock = clock
        self._log = log
        self._told_to_stop = False
        self._began_at = 0.0
        self._memory_due_at = 0.0
        self.output_tail = ""

    def see_through(self, job: JobMessage, run: Run) -> Answer:
        self._began_at = self._clock()  # run.started_at may be a moment earlier, see claim_all
        try:
            self._process.send(_request(job, run))
            while True:
                answer = self._listen(run) or self._look(run)
                if answer is not None:
                    return answer
                self._lease.keep()
        except OSError as error:
            self._process.kill()
            return Answer(error=f"JobProcessLost: {error}")

    def _listen(self, run: Run) -> Answer | None:
        answers = [self._hear(event, run) for event in self._process.events(POLL_SECONDS)]
        return next((answer for answer in answers if answer is not None), None)

    def _hear(self, event: Event, run: Run) -> Answer | None:
        if isinstance(event, Printed):
            self.output_tail = f"{self.output_tail}{event.line}\n"[-MAX_OUTPUT_CHARACTERS:]
            self._log("job_output", job_id=run.job_id, text=event.line)
        elif isinstance(event, Ended):
            self._process.kill()
            return Answer(error=f"JobProcessLost: {event.how}")
        elif isinstance(event, Said):
            return self._take(event.message)
        return None

    def _take(self, message: Mapping[str, Any]) -> Answer | None:
        if message["kind"] == "checkpoint":
            self._checkpoints.take(message)
        elif message["kind"] == "result":
            return Answer(result=str(message["result"]))
        elif message["kind"] == "error":
            error = str(message["error"])
            # A handler that gives up because it was told to stop has not failed.
            return Answer(interrupted=error) if self._told_to_stop else Answer(error=error)
        return None

    def _look(self, run: Run) -> Answer | None:
        """At the clock, the stop sign and the memory; ends the process where a bound is passed."""
        now = self._clock()
        answer = self._interruption(run, now) or self._excess(now)
        if answer is not None:
            self._process.kill()
        elif not self._told_to_stop and self._should_stop_soon(run, now):
            self._told_to_stop = True
            self._process.send({"kind": "stop"})
        return answer

    def _should_stop_soon(self, run: Run, now: float) -> bool:
        leaving = self._bounds.stop.hand_back_at is not None
        return leaving or now >= lease_ends_at(run.message) - CEILING_NOTICE_SECONDS

    def _interruption(self, run: Run, now: float) -> Answer | None:
        hand_back_at = self._bounds.stop.hand_back_at
        if hand_back_at is not None and now >= hand_back_at:
            return Answer(interrupted="the instance left before the job was done")
        if now >= lease_ends_at(run.message):
            return Answer(interrupted="SQS's limit of 12 hours came before the job was done")
        return None

    def _excess(self, now: float) -> Answer | None:
        seconds = now - self._began_at
        if seconds >= self._bounds.timeout_seconds:
            return Answer(error=f"JobTimeout: not done after {seconds:.0f} s")
        if not self._bounds.memory_bytes or now < self._memory_due_at:
            return None
        self._memory_due_at = now + MEMORY_SECONDS
        used = self._process.memory_bytes()
        if used <= self._bounds.memory_bytes:
            return None
        allowed = self._bounds.memory_bytes // MIB
        return Answer(error=f"JobMemoryExceeded: {used // MIB} MiB of {allowed}")


def _request(job: JobMessage, run: Run) -> dict[str, Any]:
    return {
        "kind": "run",
        "job_id": job.job_id,
        "attempt": run.attempt,
        "payload": job.payload,
    }
