"""How many calls to AWS an instance costs: to be prepared, and to be woken, work and go back.

Counted in virtual time, where the shipped functions and worker run against services that answer as
AWS does (`faults/`), without any fault: two runs that differ in their instances or jobs alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from benchmarks.rows import Row
from faults.plan import JobSpec, Plan, Settings
from faults.run import run

FEW, MANY = 2, 12
JOBS = 10
ASLEEP_SECONDS = 600.0
JOB_SECONDS = 30.0
END_SECONDS = 1500.0

Calls = Counter[tuple[str, str]]


def call_rows() -> Iterator[Row]:
    few, many = _calls(FEW, jobs=0), _calls(MANY, jobs=0)
    woken = _calls(MANY, jobs=JOBS)
    yield from _rows("pooled instance", _difference(many, few), MANY - FEW)
    yield from _rows("wake, job and return", _difference(woken, many), JOBS)


def _calls(prepared: int, jobs: int) -> Calls:
    settings = Settings(min_size=0, max_size=MANY, max_prepared=prepared, watch_seconds=3)
    sent = tuple(JobSpec(ASLEEP_SECONDS, f"job-{n}", JOB_SECONDS) for n in range(jobs))
    result = run(Plan(1, settings, sent, quiet_at=END_SECONDS))
    if result.broken or result.results != jobs:
        raise RuntimeError(f"{result.results} of {jobs} jobs have a result: {result.broken}")
    return result.calls


def _difference(more: Calls, less: Calls) -> dict[tuple[str, str], int]:
    return {call: more[call] - less[call] for call in more if more[call] > less[call]}


def _rows(what: str, calls: dict[tuple[str, str], int], times: int) -> Iterator[Row]:
    for caller in ("functions", "workers"):
        by_operation = {
            operation: count / times for (who, operation), count in calls.items() if who == caller
        }
        detail = ", ".join(
            f"{operation} {count:g}"
            for operation, count in sorted(by_operation.items(), key=lambda item: -item[1])
        )
        total = sum(by_operation.values())
        yield Row(f"calls per {what}, by {caller}", total, "calls", detail)
