"""What is kept in the jobs bucket, and under which keys."""

import io
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from pilotlight.aws.bucket import S3Checkpoints, S3JobBucket, S3Payloads
from pilotlight.jobs.checkpoints import AttemptCheckpoints

BUCKET = "jobs-bucket"
PART_BYTES = 8 * 1_048_576  # of boto3's uploads


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", "us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


def keys(client: Any) -> list[str]:
    listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [found["Key"] for found in listed]


def test_a_payload_lies_under_the_id_of_its_job(client: Any) -> None:
    payloads = S3Payloads(client, BUCKET)
    payloads.put("j-1", b"[1, 2]")
    assert keys(client) == ["payloads/j-1"]
    assert payloads.get("j-1", 100) == b"[1, 2]"
    assert payloads.get("j-1", 2) == b"[1"
    payloads.delete("j-1")
    assert payloads.get("j-1", 100) is None


@pytest.mark.parametrize("listed", [[], ["payloads/j-10"]])
def test_a_payload_that_is_not_there_is_told_from_one_that_may_not_be_read(
    listed: list[str],
) -> None:
    """S3 says AccessDenied of both to a role that may list with our prefixes alone."""
    assert forbidden_payload(listed) is None
    with pytest.raises(ClientError, match="AccessDenied"):
        forbidden_payload(["payloads/j-1", *listed])


def forbidden_payload(listed: list[str]) -> bytes | None:
    client = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        stub.add_response(
            "list_objects_v2",
            {"Contents": [{"Key": key} for key in listed]},
            {"Bucket": BUCKET, "Prefix": "payloads/j-1"},
        )
        return S3Payloads(client, BUCKET).get("j-1", 100)


def test_a_checkpoint_is_one_object_and_the_older_ones_go(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "state"
    first = attempt(client, 1)
    for step in ("10", "20"):
        file.write_text(step)
        first.save(file)
    assert keys(client) == ["checkpoints/j-1/000001-000002"]
    second = attempt(client, 2)
    restored = second.restore()
    assert restored is not None
    assert restored.read_text() == "20"
    second.close()


def test_a_large_checkpoint_goes_up_in_parts(client: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * (PART_BYTES // 100)  # two and a half parts
    file = tmp_path / "model.pt"
    file.write_bytes(content)
    first = attempt(client, 1)
    first.save(file)
    [found] = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert found["ETag"].endswith('-3"')
    restored = first.restore()
    assert restored is not None
    assert restored.read_bytes() == content
    first.close()


class Broken(io.RawIOBase):
    """Breaks off after so many bytes, as a file does whose disk fails."""

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            raise OSError("input/output error")
        length = min(len(buffer), self._left)
        self._left -= length
        return length


@pytest.mark.parametrize("size_bytes", [1000, PART_BYTES * 2])
def test_what_breaks_off_leaves_nothing(client: Any, size_bytes: int) -> None:
    with pytest.raises(OSError, match="input/output"):
        S3Checkpoints(client, BUCKET, "j-1").put(
            "000001-000001", io.BufferedReader(Broken(size_bytes))
        )
    assert keys(client) == []
    assert client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_one_job_sees_and_clears_its_own_checkpoints_alone(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text("x")
    attempt(client, 1, "j").save(file)
    attempt(client, 1, "j-1").save(file)
    assert S3Checkpoints(client, BUCKET, "j").names() == ["000001-000001"]
    bucket = S3JobBucket(lambda: client, BUCKET)
    bucket.delete_checkpoints("j")
    assert keys(client) == ["checkpoints/j-1/000001-000001"]


def test_older_checkpoints_that_cannot_be_deleted_do_not_fail_the_save(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stub:
        stub.add_client_error("delete_object", "SlowDown", http_status_code=503)
        S3Checkpoints(client, BUCKET, "j").discard(["000001-000001"])
    assert "older checkpoints stay for now" in caplog.text


def test_a_client_is_opened_at_first_use_and_then_kept(client: Any) -> None:
    opened = []
    bucket = S3JobBucket(lambda: opened.append(1) or client, BUCKET)
    assert opened == []
    assert bucket.payload("j", 10) is None
    bucket.delete_payload("j")
    assert opened == [1]


def attempt(client: Any, number: int, job_id: str = "j-1") -> AttemptCheckpoints:
    store = S3Checkpoints(client, BUCKET, job_id)
    return AttemptCheckpoints(number, lambda: store, lambda: 0.0, lambda _: None)
