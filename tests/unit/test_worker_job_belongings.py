"""What a job has in the bucket: its payload before it runs, its checkpoints after it."""

import pytest

from pilotlight.jobs.submission import submission
from pilotlight.worker.endings import Outcome
from tests.unit.job_bench import CHECKPOINT, ERROR, RESULT, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


LARGE = submission("j", {"numbers": [7] * 600_000})


def test_a_payload_too_large_for_a_message_comes_from_the_bucket_and_goes_with_the_result(bench):
    bench.bucket.content = LARGE.stored
    assert bench.run([RESULT], body=LARGE.body) is Outcome.SUCCEEDED
    assert bench.process.sent[0]["payload"] == {"numbers": [7] * 600_000}
    assert bench.bucket.deleted == ["payload of j"]


def test_a_payload_stays_for_the_next_attempt(bench):
    bench.bucket.content = LARGE.stored
    assert bench.run([ERROR], body=LARGE.body) is Outcome.FAILED
    assert bench.bucket.deleted == []


@pytest.mark.parametrize("content", [None, b"[]", b"x" * 2_000_000], ids=["none", "other", "more"])
def test_a_job_whose_payload_is_not_what_was_sent_is_given_up_at_once(bench, content):
    bench.bucket.content = content
    assert bench.run([RESULT], body=LARGE.body) is Outcome.DEAD_LETTERED
    assert bench.process.sent == []
    (letter,) = bench.queue.dead_letters
    assert letter.reason.startswith("MalformedJob: ")
    assert bench.queue.deleted == ["m-1"]


def test_a_bucket_that_does_not_answer_for_a_while_costs_nothing_but_time(bench):
    bench.bucket.content = LARGE.stored
    bench.bucket.out_of_reach = range(1000, 1100)
    assert bench.run([RESULT], body=LARGE.body) is Outcome.SUCCEEDED
    assert bench.queue.visibility, "the message was held on to"


def test_a_bucket_that_stays_out_of_reach_is_no_failure_of_the_job(bench):
    bench.bucket.out_of_reach = range(1000, 9999)
    assert bench.run([RESULT], body=LARGE.body) is Outcome.HANDED_BACK
    assert bench.table.item["state"] == "interrupted"
    assert bench.table.item.get("failures", 0) == 0


def test_a_payload_that_comes_too_late_for_an_instance_that_leaves_is_read_elsewhere(bench):
    bench.bucket.content = LARGE.stored
    bench.bucket.out_of_reach = range(1000, 1010)
    bench.sign.hand_back_at = 1300.0
    assert bench.run([RESULT], body=LARGE.body) is Outcome.HANDED_BACK
    assert bench.process.sent == []
    assert (bench.queue.visibility, bench.clock.now) == ([0], 1000.0)


def test_a_payload_that_was_slow_to_come_does_not_begin_on_an_instance_that_leaves(bench):
    bench.bucket.content = LARGE.stored
    bench.bucket.when_asked = lambda: setattr(bench.sign, "hand_back_at", 1300.0)
    assert bench.run([RESULT], body=LARGE.body) is Outcome.HANDED_BACK
    assert bench.process.sent == []


def test_a_job_without_belongings_is_not_looked_for_in_the_bucket(bench):
    bench.bucket.out_of_reach = range(9999)
    assert bench.run([RESULT]) is Outcome.SUCCEEDED
    assert "not_cleared" not in bench.events()


@pytest.mark.parametrize(("said", "attempt"), [([CHECKPOINT], 1), ([], 2)])
def test_checkpoints_go_once_the_result_is_recorded(bench, said, attempt):
    assert bench.run(said, [RESULT], attempt=attempt) is Outcome.SUCCEEDED
    assert bench.bucket.deleted == ["checkpoints of j"]


def test_checkpoints_that_cannot_be_deleted_do_not_cost_the_result(bench):
    bench.bucket.out_of_reach = range(9999)
    assert bench.run([CHECKPOINT], [RESULT]) is Outcome.SUCCEEDED
    assert bench.queue.deleted == ["m-1"]
    assert "not_cleared" in bench.events()
