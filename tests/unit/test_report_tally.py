"""What a run says of its jobs."""

from cli.recording import Job
from cli.tally import tally


def job(job_id: str, state: str) -> Job:
    return Job(job_id, state, sent_at=0.0)


def test_every_job_with_one_result_is_a_flawless_run() -> None:
    found = tally(["a", "b"], [job("a", "succeeded"), job("b", "succeeded")], [], {"a": 1, "b": 1})
    assert found.flawless
    assert found.verdict == "2 sent, 2 succeeded, 0 lost"


def test_a_job_that_left_no_trace_is_lost() -> None:
    found = tally(["a", "b"], [job("a", "succeeded")], [], {"a": 1})
    assert (found.lost, found.flawless) == (1, False)


def test_a_job_that_is_still_running_at_the_end_is_lost() -> None:
    assert tally(["a"], [job("a", "running")], [], {}).lost == 1


def test_a_job_in_the_dead_letter_queue_failed_and_is_not_lost() -> None:
    found = tally(["a"], [job("a", "running")], ["a"], {})
    assert (found.failed, found.lost) == (1, 0)
    assert found.verdict == "1 sent, 0 succeeded, 0 lost, 1 failed"


def test_a_job_that_ran_to_its_end_twice_is_a_flaw_although_it_succeeded() -> None:
    found = tally(["a"], [job("a", "succeeded")], [], {"a": 2})
    assert not found.flawless
    assert "1 ran twice" in found.verdict


def test_jobs_of_others_are_not_counted() -> None:
    found = tally(["a"], [job("a", "succeeded"), job("z", "failed")], ["y"], {"z": 2})
    assert found.flawless
