"""What became of the jobs: pure functions from what was sent and what was found to counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cli.recording import Job

GIVEN_UP = ("failed", "dead_lettered")


@dataclass(frozen=True, slots=True)
class Tally:
    """Every job that was sent is in exactly one of succeeded, failed and lost."""

    sent: int
    succeeded: int
    failed: int
    lost: int
    ran_twice: int

    @property
    def flawless(self) -> bool:
        return self.succeeded == self.sent and self.ran_twice == 0

    @property
    def verdict(self) -> str:
        """The last line of a run."""
        said = f"{self.sent} sent, {self.succeeded} succeeded, {self.lost} lost"
        flaws = [
            f"{count} {what}"
            for count, what in ((self.failed, "failed"), (self.ran_twice, "ran twice"))
            if count
        ]
        return ", ".join([said, *flaws])


def tally(
    sent: Collection[str],
    jobs: Iterable[Job],
    dead: Collection[str],
    runs: Mapping[str, int],
) -> Tally:
    """Count the jobs of a run that is over.

    `dead` are ids found in the dead-letter queue; `runs` says how often each job was seen to run.
    Lost is a job that left neither a result nor a dead letter.
    """
    states = {job.job_id: job.state for job in jobs}
    succeeded = {job_id for job_id in sent if states.get(job_id) == "succeeded"}
    failed = {
        job_id
        for job_id in sent
        if job_id not in succeeded and (states.get(job_id) in GIVEN_UP or job_id in dead)
    }
    return Tally(
        sent=len(sent),
        succeeded=len(succeeded),
        failed=len(failed),
        lost=len(sent) - len(succeeded) - len(failed),
        ran_twice=sum(runs.get(job_id, 0) > 1 for job_id in sent),
    )
