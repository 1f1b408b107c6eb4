"""What is sent is what a worker takes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from pilotlight.jobs.message import MAX_BODY_BYTES, parse_message, with_stored_payload
from pilotlight.jobs.payload_argument import payload_of
from pilotlight.jobs.submission import SubmissionError, submission

LARGE = {"text": "ü" * MAX_BODY_BYTES}


@pytest.mark.parametrize("payload", [None, {"a": [1, "ü"]}, "\ud800", LARGE], ids=range(4))
def test_the_worker_gets_what_was_submitted(payload: Any) -> None:
    sent = submission("j-1", payload)
    job = with_stored_payload(parse_message(sent.body, "other"), sent.stored)
    assert (job.job_id, job.payload) == ("j-1", payload)


def test_only_what_is_too_large_for_a_message_goes_to_the_bucket() -> None:
    around = len(submission("j", "").body)
    fits = submission("j", "x" * (MAX_BODY_BYTES - around))
    assert (len(fits.body), fits.stored) == (MAX_BODY_BYTES, None)
    larger = submission("j", "x" * (MAX_BODY_BYTES - around + 1))
    assert larger.stored is not None
    assert len(larger.body) < 200


class Model:
    pass


@pytest.mark.parametrize(
    ("job_id", "payload", "named"),
    [
        ("a/b", None, "job_id is 'a/b'"),
        ("", None, "job_id is ''"),
        ("j", float("nan"), "not JSON"),
        ("j", Model(), "type Model is not JSON serializable"),
        ("j", json.loads("[" * 70 + "]" * 70), "nested more than 64"),
        ("j", "x" * (65 * 1_048_576), "a bucket of your own"),
    ],
)
def test_what_no_worker_would_take_is_refused_before_it_is_sent(
    job_id: str, payload: Any, named: str
) -> None:
    with pytest.raises(SubmissionError) as refused:
        submission(job_id, payload)
    assert named in str(refused.value)


def test_a_payload_is_typed_or_in_a_file_or_on_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text("[1]")
    assert payload_of("[2]", io.StringIO("[3]")) == [2]
    assert payload_of(f"@{file}", io.StringIO("[3]")) == [1]
    assert payload_of("-", io.StringIO("[3]")) == [3]


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("{task: train}", "the payload '{task: train}' is not JSON"),
        ("-", "the payload from standard input is not JSON"),
        ("@nowhere.json", "cannot be read from nowhere.json"),
        ('{"a": 1, "a": 2}', "an object has a field twice"),
        ("[NaN]", "NaN is not a JSON value"),
        ("[" * 70 + "]" * 70, "nested more than 64 levels deep"),
    ],
)
def test_a_payload_that_is_none_is_refused_by_where_it_came_from(argument: str, named: str) -> None:
    with pytest.raises(SubmissionError) as refused:
        payload_of(argument, io.StringIO(""))
    assert named in str(refused.value)
