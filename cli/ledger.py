"""The jobs that one run has sent, and all that was seen of them."""

from __future__ import annotations

from collections.abc import Sequence

from cli.dead_letters import DeadLetterQueue
from cli.jobs import JobsDesk, message_body
from cli.recording import Job
from cli.tally import Tally, tally

# A start that ended so did not run to the job's end, and is followed by another one rightly.
UNFINISHED_ENDS = ("failed", "interrupted", "dead_lettered")


class Ledger:
    """Sends jobs and keeps looking at them until each has succeeded or is a dead letter."""

    def __init__(self, desk: JobsDesk, dead_letters: DeadLetterQueue) -> None:
        self._desk = desk
        self._dead_letters = dead_letters
        self._sent: list[str] = []
        self._jobs: dict[str, Job] = {}
        self._starts: dict[str, dict[float, str]] = {}

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Each job as it was last seen."""
        return tuple(self._jobs.values())

    def send(self, payloads: dict[str, object]) -> None:
        """Send one job per id."""
        self._desk.send([message_body(payload, name) for name, payload in payloads.items()])
        self._sent += payloads

    def look(self) -> list[Job]:
        """Look at the jobs that are not over; returns those which have succeeded since."""
        seen = self._read([name for name in self._sent if not self._is_over(name)])
        return [job for job in seen if job.state == "succeeded"]

    def all_over(self) -> bool:
        """Whether every job has succeeded or used up its attempts."""
        return all(self._is_over(name) for name in self._sent)

    def tally(self) -> Tally:
        """Look a last time at all jobs, the succeeded ones too, and count."""
        self._read(self._sent)
        runs = {
            name: sum(state not in UNFINISHED_ENDS for state in starts.values())
            for name, starts in self._starts.items()
        }
        return tally(self._sent, self.jobs, self._dead_letters.job_ids(), runs)

    def _read(self, job_ids: Sequence[str]) -> list[Job]:
        """Keep the newest state of every start; each start has a time of its own."""
        seen = self._desk.read(job_ids)
        for job in seen:
            self._jobs[job.job_id] = job
            if job.started_at is not None:
                self._starts.setdefault(job.job_id, {})[job.started_at] = job.state
        return seen

    def _is_over(self, job_id: str) -> bool:
        job = self._jobs.get(job_id)
        return job is not None and job.over
