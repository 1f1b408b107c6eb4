"""What is a job, and what is not."""

import hashlib
import json
from dataclasses import replace

import pytest

from pilotlight.jobs.message import (
    MAX_BODY_BYTES,
    MAX_DEPTH,
    MAX_STORED_BYTES,
    JobMessage,
    MalformedJobError,
    StoredPayload,
    parse_message,
    with_stored_payload,
)

MESSAGE_ID = "0c0b9b3c-5a3e-4b2c-9d34-6a1f4f3d2c11"
CONTENT = b'{"numbers":[1,2]}'
SHA256 = hashlib.sha256(CONTENT).hexdigest()
STORED = JobMessage("large", None, StoredPayload(len(CONTENT), SHA256))


def body_with(stored: object, **fields: object) -> str:
    return json.dumps({"job_id": "large", "payload_in_s3": stored} | fields)


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
        ('{"payload": 1, "job_id": ".."}', "job_id is '..'"),
        ('{"payload": 1, "job_id": "."}', "job_id is '.'"),
        ('{"job_id": "mine", "payload": 1, "job_id": "yours"}', "a field twice"),
        ('{"payload": {"a": 1, "a": 2}}', "a field twice"),
        ('{"payload": 1e999}', "1e999 is too large a number"),
        ('{"payload": 1, "job_id": "."}', "job_id is '.'"),
        ('{"payload": 1, "job_id": ".."}', "not . or .. alone"),
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


def test_a_large_payload_is_named_by_its_size_and_digest_alone():
    body = body_with({"bytes": len(CONTENT), "sha256": SHA256})
    assert parse_message(body, MESSAGE_ID) == STORED


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (body_with({"bytes": 1, "sha256": SHA256}, payload=1), "both payload and payload_in_s3"),
        (json.dumps({"payload_in_s3": {"bytes": 1, "sha256": SHA256}}), "no job_id"),
        (body_with({"bytes": 1, "sha256": SHA256}, job_id="../x"), "job_id is '../x'"),
        (body_with("payloads/other"), "an object with bytes and sha256"),
        (body_with({"bytes": 1, "sha256": SHA256, "key": "k"}), "an object with bytes and sha256"),
        (body_with({"bytes": True, "sha256": SHA256}), "bytes is True"),
        (body_with({"bytes": 0, "sha256": SHA256}), "bytes is 0"),
        (body_with({"bytes": MAX_STORED_BYTES + 1, "sha256": SHA256}), f"1 to {MAX_STORED_BYTES}"),
        (body_with({"bytes": 1, "sha256": SHA256.upper()}), "in lower case"),
        (body_with({"bytes": 1, "sha256": ["a"]}), "64 hexadecimal digits"),
    ],
)
def test_what_is_wrong_with_a_stored_payload_is_named(body, named):
    with pytest.raises(MalformedJobError) as caught:
        parse_message(body, MESSAGE_ID)
    assert named in str(caught.value)


def test_a_job_is_complete_with_what_the_bucket_holds():
    assert with_stored_payload(STORED, CONTENT) == replace(STORED, payload={"numbers": [1, 2]})


def described(content: bytes) -> JobMessage:
    return JobMessage("j", None, StoredPayload(len(content), hashlib.sha256(content).hexdigest()))


@pytest.mark.parametrize(
    ("job", "content", "named"),
    [
        (STORED, None, "not in the bucket"),
        (STORED, CONTENT[:-1], "not the one that was sent"),
        (STORED, CONTENT.replace(b"1", b"7"), "not the one that was sent"),
        (described(b"gASV"), b"gASV", "the payload is not JSON"),
        (described(b"\xff\xff"), b"\xff\xff", "the payload is not JSON"),
        (described(b"[NaN]"), b"[NaN]", "NaN is not a JSON value"),
        (described(b"[" * 9000), b"[" * 9000, "levels deep"),
    ],
)
def test_what_the_bucket_holds_is_judged_as_strictly(job, content, named):
    with pytest.raises(MalformedJobError) as caught:
        with_stored_payload(job, content)
    assert named in str(caught.value)
