"""What is a job, and what is not."""

import json

import pytest

from pilotlight.jobs.message import MAX_BODY_BYTES, MAX_DEPTH, MalformedJobError, parse_message

MESSAGE_ID = "0c0b9b3c-5a3e-4b2c-9d34-6a1f4f3d2c11"


def test_the_message_id_is_the_job_id_when_the_sender_gave_none():
    assert parse_message('{"payload": {"a": 1}}', MESSAGE_ID).job_id == MESSAGE_ID


def test_the_senders_job_id_counts_when_there_is_one():
    job = parse_message('{"job_id": "nightly-7", "payload": [1, null]}', MESSAGE_ID)
    assert (job.job_id, job.payload) == ("nightly-7", [1, None])


def test_a_payload_may_be_null():
    assert parse_message('{"payload": null}', MESSAGE_ID).payload is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "JSON array"),
        ('"text"', "JSON string"),
        ("null", "JSON null"),
        ("17", "JSON number"),
        ("{}", "no field payload"),
        ('{"payload": 1, "pickle": "gASV"}', "unknown field 'pickle'"),
        ('{"payload": NaN}', "NaN is not a JSON value"),
        ('{"payload": -Infinity}', "-Infinity is not a JSON value"),
        ('{"payload": ' + "9" * 5000 + "}", "not JSON"),
        ('{"payload": ' + "[" * 100_000, "levels deep"),
        ('{"payload": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "levels deep"),
        ('{"payload": "' + "x" * MAX_BODY_BYTES + '"}', "bytes"),
        ('{"payload": 1, "job_id": ""}', "job_id is ''"),
        ('{"payload": 1, "job_id": 5}', "job_id is 5"),
        ('{"payload": 1, "job_id": null}', "job_id is None"),
        ('{"payload": 1, "job_id": "../../etc"}', "job_id is '../../etc'"),
        ('{"payload": 1, "job_id": "a\\n"}', "job_id is"),
        ('{"payload": 1, "job_id": "\\u0661"}', "job_id is"),
        (json.dumps({"payload": 1, "job_id": "x" * 129}), "job_id is"),
    ],
)
def test_what_is_wrong_is_named(body, named):
    with pytest.raises(MalformedJobError) as caught:
        parse_message(body, MESSAGE_ID)
    assert named in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_payload_nested_as_deep_as_allowed_is_taken():
    deep = "[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2)
    assert parse_message('{"payload": ' + deep + "}", MESSAGE_ID)


def test_the_payload_is_not_quoted_in_the_error():
    with pytest.raises(MalformedJobError) as caught:
        parse_message('{"payload": "secret", "extra": "secret"}', MESSAGE_ID)
    assert "secret" not in str(caught.value)
