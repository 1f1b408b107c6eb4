"""Jobs of hundredths of a second are begun and recorded many in one call; a mistake in that shows.

Each rule is broken here, in the test; one plan with every fault of a batch has to notice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import Result, run
from pilotlight.aws import jobs_batch
from pilotlight.aws.jobs_batch import DynamoDbJobsBatch

Patch = pytest.MonkeyPatch
BATCH = "dynamodb.BatchExecuteStatement"
# Sent within a fifth of a second, so that they wait together.
JOBS = tuple(JobSpec(300.0 + number / 1000, f"job-{number}", 0.01) for number in range(200))
QUIET_AT = 500.0


def quick(*faults: Fault, jobs: tuple[JobSpec, ...] = JOBS) -> Plan:
    settings = Settings(min_size=1, max_size=2, jobs_per_instance=2)
    return Plan(1, settings, jobs, faults, QUIET_AT)


def on_batches(kind: str, count: int = 3) -> Fault:
    return Fault(300.0, kind, seconds=120.0, count=count, who="workers", what=BATCH)


IN_PART = quick(on_batches("batch_in_part", count=50))


def batches(result: Result) -> int:
    return result.calls["workers", BATCH]


def test_many_quick_jobs_are_recorded_in_few_calls() -> None:
    result = run(quick())

    assert (result.broken, result.results) == ("", len(JOBS))
    assert 0 < batches(result) < len(JOBS) / 4
    assert result.calls["workers", "dynamodb.UpdateItem"] < len(JOBS) / 2


@pytest.mark.parametrize(
    "kind",
    [
        "batch_in_part",
        "call_throttled",
        "call_broken",
        "call_unreached",
        "call_answer_lost",
        "call_doubled",
        "call_stalls",
        "answer_late",
        "crash_before_call",
        "crash_after_call",
    ],
)
def test_whatever_becomes_of_a_batch_each_job_has_one_result(kind: str) -> None:
    result = run(quick(on_batches(kind)))

    assert (result.broken, result.results) == ("", len(JOBS))
    assert result.tally[kind] > 0


def test_jobs_that_are_sent_twice_within_a_batch_have_one_result_each() -> None:
    twins = tuple(job for job in JOBS for _ in range(2))

    result = run(quick(jobs=twins))

    assert (result.broken, result.results) == ("", len(JOBS))


def believe_every_answer(patch: Patch) -> None:
    """As if a call that succeeded had recorded all."""
    execute = DynamoDbJobsBatch._execute

    def believing(batch: DynamoDbJobsBatch, statements) -> list[bool]:
        return [True for _ in execute(batch, statements)]

    patch.setattr(DynamoDbJobsBatch, "_execute", believing)


def mix_up_answers(patch: Patch) -> None:
    execute = DynamoDbJobsBatch._execute
    patch.setattr(
        DynamoDbJobsBatch, "_execute", lambda batch, them: list(reversed(execute(batch, them)))
    )


def record_whoever_comes(patch: Patch) -> None:
    """Without the condition that the attempt is the latest and has no result yet."""
    statement = jobs_batch._statement

    def careless(text: str, values: Sequence[object]):
        where = text.find(" AND ")
        left_out = text.count("=?", where) if where >= 0 else 0
        kept = list(values)[: len(list(values)) - left_out]
        return statement(text[:where] if where >= 0 else text, kept)

    patch.setattr(jobs_batch, "_statement", careless)


# Of two workers one hangs while it gathers results. The other does those jobs, too, and then the
# first one wakes up with what it has gathered.
OVERTAKEN = Plan(
    1,
    Settings(min_size=2, max_size=2, jobs_per_instance=2),
    tuple(replace(job, at=300.0 + number / 50) for number, job in enumerate(JOBS)),
    (Fault(302.2, "worker_hangs", seconds=75.0, index=1),),
    QUIET_AT,
)


@pytest.mark.parametrize(
    ("break_rule", "plan", "words"),
    [
        (believe_every_answer, IN_PART, "is lost: it has no result"),
        (mix_up_answers, IN_PART, "is lost: it has no result"),
        (record_whoever_comes, OVERTAKEN, "was written twice"),
    ],
)
def test_a_broken_batch_is_noticed(
    monkeypatch: Patch, break_rule: Callable[[Patch], None], plan: Plan, words: str
) -> None:
    assert run(plan).broken == ""

    break_rule(monkeypatch)

    assert words in run(plan).broken
