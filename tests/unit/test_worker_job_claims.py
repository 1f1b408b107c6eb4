"""Beginnings of many jobs, recorded in one call."""

import pytest

from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.worker.dead_lettering import LeftToRedrive
from pilotlight.worker.endings import Outcome
from tests.unit.job_bench import RESULT, UNREACHABLE, Bench, Process


@pytest.fixture
def bench() -> Bench:
    return Bench()


class Batch:
    """Knows the jobs named; records the others, or is out of reach."""

    def __init__(self, *known: str, out_of_reach: bool = False) -> None:
        self.known = known
        self.out_of_reach = out_of_reach
        self.asked_for: list[str] = []

    def begin(self, beginnings):
        if self.out_of_reach:
            raise UNREACHABLE
        self.asked_for = [run.job_id for run, _ in beginnings]
        return [job_id not in self.known for job_id in self.asked_for]


def claims_of(bench, batch, **attempts):
    bench.use(LeftToRedrive(), batch=batch)
    messages = [
        ReceivedMessage(f"m-{name}", "r", f'{{"job_id": "{name}", "payload": 1}}', attempt, 0, 0)
        for name, attempt in attempts.items()
    ]
    garbage = ReceivedMessage("m-garbage", "r", "garbage", 1, 0, 0)
    return bench.runner.claim_all([*messages, garbage], 995.0)


def test_first_deliveries_are_claimed_together_and_the_others_each_alone(bench):
    batch = Batch("known")
    new, known, again, garbage = claims_of(bench, batch, new=1, known=1, again=2)
    assert batch.asked_for == ["new", "known"]
    assert (new.job_id, new.attempt) == ("new", 1)
    assert (known, again, garbage) == (None, None, None)


def test_while_the_table_is_out_of_reach_nothing_is_claimed(bench):
    assert claims_of(bench, Batch(out_of_reach=True), new=1) == [None, None]


def test_a_claimed_job_runs_without_being_claimed_again(bench):
    (run, _) = claims_of(bench, Batch(), j=1)
    process = Process(bench.clock, [[RESULT]])
    message = bench.message()
    assert bench.runner.run(message, run, process, 995.0)() is Outcome.SUCCEEDED
    assert bench.table.history == ["succeeded"]


def test_a_claimed_job_that_no_slot_was_free_for_is_recorded_as_interrupted(bench):
    (run, _) = claims_of(bench, Batch(), j=1)
    bench.runner.hand_back_unstarted(bench.message(), run)
    assert bench.table.item["state"] == "interrupted"
    assert bench.table.item["interruptions"] == 1
    assert bench.queue.visibility == [0]
