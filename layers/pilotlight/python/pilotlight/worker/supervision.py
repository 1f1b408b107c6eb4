"""Watching over one job while its process runs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pilotlight.jobs.attempts import time_limit_at
from pilotlight.jobs.message import JobMessage
from pilotlight.jobs.records import MAX_OUTPUT_CHARACTERS, Run
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Ended, Event, Printed, Said
from pilotlight.worker.lease import Lease

POLL_SECONDS = 0.5


class RunningProcess(Protocol):
    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError when the process is gone or does not listen."""
        ...

    def events(self, timeout_seconds: float) -> Sequence[Event]: ...

    def kill(self) -> None: ...


class StopSign(Protocol):
    """`hand_back_at` is set when the instance is leaving: the moment at which jobs are ended."""

    @property
    def hand_back_at(self) -> float | None: ...


@dataclass(frozen=True)
class Answer:
    """How it ended: with a result (JSON text), an interruption, or else an error."""

    result: str | None = None
    error: str = ""
    interrupted: str = ""


class Supervision:
    """Keeps the lease, hears what the job prints, and ends it when its time is over.

    After an answer with an error that the handler did not raise itself the process is dead.
    """

    def __init__(
        self,
        process: RunningProcess,
        lease: Lease,
        stop: StopSign,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._process = process
        self._lease = lease
        self._stop = stop
        self._clock = clock
        self._log = log
        self._told_to_stop = False
        self.output_tail = ""

    def see_through(self, job: JobMessage, run: Run, job_timeout_seconds: float) -> Answer:
        limit_at = time_limit_at(run.message, run.started_at, job_timeout_seconds)
        try:
            self._process.send(_request(job, run))
            while True:
                answer = self._listen(run) or self._look_at_clock(run, limit_at)
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
        elif isinstance(event, Said) and event.message["kind"] == "result":
            return Answer(result=str(event.message["result"]))
        elif isinstance(event, Said) and event.message["kind"] == "error":
            error = str(event.message["error"])
            # A handler that gives up because it was told to stop has not failed.
            return Answer(interrupted=error) if self._told_to_stop else Answer(error=error)
        return None

    def _look_at_clock(self, run: Run, limit_at: float) -> Answer | None:
        now = self._clock()
        hand_back_at = self._stop.hand_back_at
        if hand_back_at is not None and now >= hand_back_at:
            self._process.kill()
            return Answer(interrupted="the instance left before the job was done")
        if now >= limit_at:
            self._process.kill()
            return Answer(error=f"JobTimeout: not done after {now - run.started_at:.0f} s")
        if hand_back_at is not None and not self._told_to_stop:
            self._told_to_stop = True
            self._process.send({"kind": "stop"})
        return None


def _request(job: JobMessage, run: Run) -> dict[str, Any]:
    return {
        "kind": "run",
        "job_id": job.job_id,
        "attempt": run.message.attempt,
        "payload": job.payload,
    }
