"""What became of a churn's jobs, from four accounts of it: the plan, the table's log, the dead
letters, and the witness of what ran. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cli.churn.plan import ChurnJob, Kind
from cli.churn.striker import Hit
from cli.churn.table_log import Write, text
from cli.churn.witness import Sighting
from cli.dead_letters import Letter

FAILED, INTERRUPTED, LOST = "failed", "interrupted", ""
NOTICES = frozenset({Kind.SPOT, Kind.REBALANCE})
UNSTRUCK = {
    FAILED: "no strike: the attempt failed",
    INTERRUPTED: "no strike: the scaler let its instance go",
    LOST: "no strike: ended with its worker, or its result was there already",
}


@dataclass(frozen=True)
class Waste:
    """Attempts that came to nothing, and the seconds of work that nobody has the fruits of."""

    attempts: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Ids of jobs, where not said otherwise. `ran_again` counts runs to the end that were not
    needed; `poison_left` are poisoned jobs that are no dead letter with a reason; `left` are
    messages that were still in the jobs queue when all was over."""

    sent: int
    results: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    wrong: tuple[str, ...]
    poisoned: int
    poison_left: tuple[str, ...]
    left: int
    ran_again: int
    attempts: int
    wasted: Mapping[str, Waste] = field(default_factory=dict)
    useful_seconds: float = 0.0

    @property
    def wasted_seconds(self) -> float:
        return sum(waste.seconds for waste in self.wasted.values())

    @property
    def flawless(self) -> bool:
        return self.results == self.sent and not (
            self.lost or self.twice or self.wrong or self.poison_left or self.left
        )

    @property
    def sentence(self) -> str:
        """The last line of a run."""
        said = (
            f"{self.sent} sent, {self.results} results, "
            f"{len(self.lost)} lost, {len(self.twice)} twice"
        )
        flaws = [
            f"{count} {what}"
            for count, what in (
                (len(self.wrong), "wrong"),
                (len(self.poison_left), "poisoned ones not given up"),
                (self.left, "messages left"),
            )
            if count
        ]
        return ", ".join([said, *flaws])


def judge(
    jobs: Sequence[ChurnJob],
    writes: Sequence[Write],
    sightings: Sequence[Sighting],
    letters: Iterable[Letter],
    hits: Sequence[Hit],
    left: int,
) -> Verdict:
    """`writes` are all that the table ever took, in the order of each item's; `left` is how many
    messages are still in the jobs queue."""
    good = [job for job in jobs if not job.poison]
    poisoned = [job.job_id for job in jobs if job.poison]
    recorded = _results(writes)
    explained = {letter.job_id for letter in letters if letter.reason}
    needed = {(job_id, found[0].attempt) for job_id, found in recorded.items()}
    ours = [each for each in sightings if each.job_id not in set(poisoned)]
    wasted = [each for each in ours if (each.job_id, each.attempt) not in needed]
    return Verdict(
        sent=len(good),
        results=sum(job.job_id in recorded for job in good),
        lost=tuple(job.job_id for job in good if job.job_id not in recorded),
        twice=tuple(job_id for job_id, found in recorded.items() if len(found) > 1),
        wrong=tuple(
            job.job_id
            for job in good
            if job.job_id in recorded and not _right(job, recorded[job.job_id][0].result)
        ),
        poisoned=len(poisoned),
        poison_left=tuple(
            job_id for job_id in poisoned if job_id in recorded or job_id not in explained
        ),
        left=left,
        ran_again=sum(each.completed for each in wasted),
        attempts=len(ours),
        wasted=_waste_by_cause(wasted, writes, hits),
        useful_seconds=round(
            sum(_useful_seconds(each, (each.job_id, each.attempt) in needed) for each in ours), 1
        ),
    )


@dataclass(frozen=True)
class _Result:
    attempt: int
    result: str


def _results(writes: Iterable[Write]) -> dict[str, list[_Result]]:
    found: dict[str, list[_Result]] = defaultdict(list)
    for write in writes:
        if write.records_result:
            result = _Result(int(text(write.after, "attempt")), text(write.after, "result"))
            found[write.job_id].append(result)
    return dict(found)


def _right(job: ChurnJob, result: str) -> bool:
    return job.expected is None or json.loads(result) == job.expected


def _places(writes: Iterable[Write]) -> dict[tuple[str, int], str]:
    """On which instance each attempt at each job ran."""
    return {
        (write.job_id, int(text(write.after, "attempt"))): text(write.after, "instance_id")
        for write in writes
        if write.begins_attempt
    }


def _waste_by_cause(
    wasted: Iterable[Sighting], writes: Sequence[Write], hits: Sequence[Hit]
) -> dict[str, Waste]:
    places, ends = _places(writes), _ends(writes)
    found: dict[str, list[float]] = defaultdict(list)
    for each in wasted:
        key = (each.job_id, each.attempt)
        cause = _cause(each, places.get(key, ""), ends.get(key, LOST), hits)
        found[cause].append(_lost_seconds(each))
    causes = sorted(found.items(), key=lambda item: -sum(item[1]))
    return {cause: Waste(len(seconds), round(sum(seconds), 1)) for cause, seconds in causes}


def _ends(writes: Iterable[Write]) -> dict[tuple[str, int], str]:
    """How each attempt ended, as its worker told; of one that was lost nobody tells."""
    return {
        (write.job_id, int(text(write.after, "attempt"))): text(write.after, "state")
        for write in writes
        if text(write.after, "state") in (FAILED, INTERRUPTED)
    }


def _cause(seen: Sighting, instance_id: str, end: str, hits: Sequence[Hit]) -> str:
    """The last strike on its instance, or on all, that fell while it ran; else how it ended.

    A notice goes on: a worker that leaves by it interrupts also what it received since."""
    ended_at = seen.ended_at or seen.began_at
    falling = [
        hit
        for hit in hits
        if hit.landed
        and hit.target in (instance_id, "")
        and (hit.kind is not Kind.CAPACITY or end == INTERRUPTED)
        and hit.at <= ended_at
        and (hit.until >= seen.began_at or (hit.kind in NOTICES and end == INTERRUPTED))
    ]
    own = [hit for hit in falling if hit.target]
    chosen = max(own or falling, key=lambda hit: hit.at, default=None)
    return str(chosen.kind) if chosen else UNSTRUCK[end]


def _useful_seconds(seen: Sighting, is_needed: bool) -> float:
    """Work that somebody has the fruits of: what led to the result, or to a checkpoint."""
    until = seen.ended_at if is_needed else seen.saved_at
    return until - seen.began_at if until else 0.0


def _lost_seconds(seen: Sighting) -> float:
    """Work that was not saved."""
    if seen.ended_at is None:
        return 0.0
    return seen.ended_at - (seen.saved_at or seen.began_at)
