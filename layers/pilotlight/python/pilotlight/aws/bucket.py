"""The jobs bucket: payloads that are too large for a message, and checkpoints.

Keys derive from a validated job id alone, so that no message can name another object.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import ClientError

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs.archive import Readable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

# For a job that would rather wait for its checkpoint than lose it.
TRANSFER_LIMITS = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 6}
)


class S3Payloads:
    """Raises botocore's ClientError or BotoCoreError when S3 refuses or cannot be reached."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, job_id: str, content: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=_payload_key(job_id),
            Body=content,
            ContentType="application/json",
        )

    def get(self, job_id: str, most_bytes: int) -> bytes | None:
        """At most so many bytes of the payload; None when there is none."""
        key = _payload_key(job_id)
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read(most_bytes)
        except ClientError as error:
            # To those who may not list the whole bucket, S3 answers 403 for what is not there (S3
            # API, GetObject), so that is asked once more by its prefix, which they may list.
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "AccessDenied") and not self._is_there(key):
                return None
            raise

    def delete(self, job_id: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=_payload_key(job_id))

    def _is_there(self, key: str) -> bool:
        listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key).get("Contents", [])
        return any(found["Key"] == key for found in listed)


class S3Checkpoints:
    """The checkpoints of one job, a pilotlight.jobs.checkpoints.CheckpointStore.

    Raises botocore's ClientError or BotoCoreError when S3 refuses or cannot be reached.
    """

    def __init__(self, client: "S3Client", bucket: str, job_id: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"checkpoints/{job_id}/"

    def put(self, name: str, content: IO[bytes]) -> None:
        """S3 shows an object when it is complete, and never before.

        boto3 uploads in parts of 8 MiB, up to ten of them in memory; S3 takes 10,000 (user guide,
        multipart upload limits), so that a checkpoint has at most 78 GiB.
        """
        self._client.upload_fileobj(content, self._bucket, self._prefix + name)

    def names(self) -> Sequence[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix
        )
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return [key.removeprefix(self._prefix) for key in keys]

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[Readable, int]]:
        answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        with answer["Body"] as content:
            yield content, answer["ContentLength"]

    def discard(self, names: Iterable[str]) -> None:
        """What cannot be deleted now goes after the job's result, or by the lifecycle rule."""
        try:
            self._delete(names)
        except AWS_CALL_ERRORS as error:
            logger.warning("older checkpoints stay for now: %s", error)

    def clear(self) -> None:
        """Delete all of them."""
        self._delete(self.names())

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)


class S3JobBucket:
    """What jobs have in the bucket, as a worker uses it.

    `open_client` is called at first use: most jobs have nothing there, and a woken worker has no
    time to lose. Raises botocore's ClientError or BotoCoreError when S3 refuses or is out of reach.
    """

    def __init__(self, open_client: Callable[[], "S3Client"], bucket: str) -> None:
        self._open_client = open_client
        self._bucket = bucket
        self._client: S3Client | None = None
        self._lock = threading.Lock()  # every slot has a thread

    def payload(self, job_id: str, most_bytes: int) -> bytes | None:
        """At most so many bytes of it; None when there is none."""
        return S3Payloads(self._opened(), self._bucket).get(job_id, most_bytes)

    def delete_payload(self, job_id: str) -> None:
        S3Payloads(self._opened(), self._bucket).delete(job_id)

    def delete_checkpoints(self, job_id: str) -> None:
        S3Checkpoints(self._opened(), self._bucket, job_id).clear()

    def _opened(self) -> "S3Client":
        with self._lock:
            if self._client is None:
                self._client = self._open_client()
            return self._client


def _payload_key(job_id: str) -> str:
    return f"payloads/{job_id}"
