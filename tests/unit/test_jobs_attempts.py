"""How long an attempt may take, and when the next one comes."""

import pytest

from pilotlight.jobs.attempts import (
    LEASE_CEILING_SECONDS,
    Limits,
    ReceivedMessage,
    Tally,
    extension_seconds,
    lease_ends_at,
    reason_to_give_up,
    retry_delay_seconds,
)
from pilotlight.jobs.dead_letter import DeadLetter
from pilotlight.jobs.records import (
    KEEP_SECONDS,
    MAX_HISTORY,
    MAX_RESULT_BYTES,
    ResultError,
    Run,
    Worker,
    failed,
    past,
    result_text,
    succeeded,
)

MESSAGE = ReceivedMessage("m", "r", "{}", attempt=1, sent_at=900.0, received_at=1000.0)
LIMITS = Limits(max_attempts=3, max_receive_count=20)


def a_run(before: dict | None = None) -> Run:
    return Run("j", Worker("i-2"), MESSAGE, 1001.0, 995.0, past(before or {}, MESSAGE))


@pytest.mark.parametrize(
    ("tally", "deliveries", "reason"),
    [
        pytest.param(Tally(), 1, None, id="a new job runs"),
        pytest.param(Tally(failures=2), 3, None, id="two failures of three leave one attempt"),
        pytest.param(Tally(failures=3), 3, "failed 3 times", id="three failures are enough"),
        pytest.param(Tally(interruptions=18), 19, None, id="interruptions use up no attempt"),
        pytest.param(Tally(2, 15), 19, None, id="nor do failures with many interruptions"),
        pytest.param(
            Tally(1, 5),
            20,
            "handed out 20 times; 1 failed, 5 interrupted, the rest lost with their workers",
            id="a job that takes its workers along is given up in the end",
        ),
    ],
)
def test_a_job_is_given_up_for_its_own_failures_or_for_too_many_deliveries(
    tally, deliveries, reason
):
    assert reason_to_give_up(tally, deliveries, LIMITS) == reason


def test_failed_jobs_come_back_slower_each_time_and_within_a_minute():
    assert [retry_delay_seconds(n) for n in (1, 2, 3, 6, 1000)] == [2, 4, 8, 60, 60]


def test_a_job_is_handed_back_before_sqs_forgets_its_receipt():
    assert lease_ends_at(MESSAGE) < MESSAGE.received_at + LEASE_CEILING_SECONDS


def test_an_extension_is_cut_short_at_twelve_hours():
    near_the_end = MESSAGE.received_at + LEASE_CEILING_SECONDS - 10
    assert extension_seconds(MESSAGE, 1060.0, 120) == 120
    assert extension_seconds(MESSAGE, near_the_end, 120) == 10
    assert extension_seconds(MESSAGE, near_the_end + 60, 120) == 0


@pytest.mark.parametrize("result", [float("nan"), {1, 2}, object(), "x" * MAX_RESULT_BYTES])
def test_a_result_that_cannot_be_stored_is_refused(result):
    with pytest.raises(ResultError):
        result_text(result)


def test_a_failure_keeps_the_end_of_a_long_output():
    assert failed(a_run(), "E", "a" * 9_999 + "end", 10.0)["output_tail"].endswith("aend")
    assert len(failed(a_run(), "E", "a" * 9_999, 10.0)["output_tail"]) == 4_000


def test_half_a_surrogate_pair_in_an_error_can_be_stored():
    failed(a_run(), "\ud800", "\udfff", 10.0)["error"].encode("utf-8")


def test_records_expire():
    assert failed(a_run(), "E", "", 10.9)["expires_at"] == 10 + KEEP_SECONDS


def test_an_attempt_that_was_never_heard_of_again_is_in_the_history_as_lost():
    before = {"state": "running", "attempt": 1, "instance_id": "i-1", "started_at": 5.0}
    lost, own = succeeded(a_run(before), "1", 1002.0)["history"]
    assert (lost["state"], lost["instance_id"], lost["started_at"]) == ("lost", "i-1", 5.0)
    assert (own["state"], own["instance_id"], own["finished_at"]) == ("succeeded", "i-2", 1002.0)


def test_a_beginning_whose_answer_was_lost_is_no_lost_attempt():
    own = {"state": "running", "attempt": 3, "attempt_offset": 2, "message_id": "m"}
    assert past(own, MESSAGE).lost == ()
    assert len(past(own | {"message_id": "other"}, MESSAGE).lost) == 1
    assert len(past(own | {"attempt": 2, "attempt_offset": 2}, MESSAGE).lost) == 1


def test_failures_count_on_from_what_the_table_says():
    before = {"state": "interrupted", "failures": 1, "interruptions": 4}
    assert failed(a_run(before), "E", "", 10.0)["failures"] == 2


def test_a_history_does_not_grow_for_ever():
    before = {"state": "failed", "history": [{}] * MAX_HISTORY}
    assert "history" not in failed(a_run(before), "E", "", 10.0)


def test_attempts_count_on_after_a_replay():
    assert a_run({"state": "queued", "attempt_offset": 3}).attempt == 4


def test_a_dead_letter_says_only_what_sqs_accepts_in_an_attribute():
    letter = DeadLetter("{}", "j", "E: \x1b[31m\ud800\n" + "x" * 2_000, Tally(3, 1), "", "s")
    said = letter.attributes()
    assert said["reason"].startswith("E:  [31m  x")
    assert len(said["reason"]) == 1_000
    assert "log_group" not in said  # an empty text is refused
    assert (said["failures"], said["interruptions"]) == (3, 1)
