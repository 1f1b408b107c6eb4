"""How long an attempt may take, and when the next one comes."""

import pytest

from pilotlight.jobs.attempts import (
    LEASE_CEILING_SECONDS,
    ReceivedMessage,
    extension_seconds,
    retry_delay_seconds,
    time_limit_at,
)
from pilotlight.jobs.records import KEEP_SECONDS, MAX_RESULT_BYTES, ResultError, failed, result_text

MESSAGE = ReceivedMessage("m", "r", "{}", attempt=1, sent_at=900.0, received_at=1000.0)


def test_failed_jobs_come_back_slower_each_time_and_within_a_minute():
    assert [retry_delay_seconds(n) for n in (1, 2, 3, 6, 1000)] == [2, 4, 8, 60, 60]


def test_a_job_ends_at_its_own_limit():
    assert time_limit_at(MESSAGE, 1001.0, 600) == 1601.0


def test_no_job_outlives_what_sqs_grants_one_receive():
    assert time_limit_at(MESSAGE, 1001.0, 999_999) < MESSAGE.received_at + LEASE_CEILING_SECONDS


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
    assert failed("E", "a" * 9_999 + "end", 10.0)["output_tail"].endswith("aend")
    assert len(failed("E", "a" * 9_999, 10.0)["output_tail"]) == 4_000


def test_half_a_surrogate_pair_in_an_error_can_be_stored():
    failed("\ud800", "\udfff", 10.0)["error"].encode("utf-8")


def test_records_expire():
    assert failed("E", "", 10.9)["expires_at"] == 10 + KEEP_SECONDS
