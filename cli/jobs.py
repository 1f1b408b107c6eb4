"""Sending jobs and finding what became of them: the jobs queue and the jobs table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from typing import Any, TypeVar

from cli.errors import CommandError
from cli.recording import Attempt, Job
from cli.stack import Stack
from pilotlight.aws.attribute_values import plain
from pilotlight.aws.job_sender import NotSentError, SqsJobSender

READ_BATCH = 100  # BatchGetItem takes a hundred
JOB_FIELDS = frozenset(field.name for field in fields(Job))
ATTEMPT_FIELDS = frozenset(field.name for field in fields(Attempt))

_T = TypeVar("_T")


def message_body(payload: object, job_id: str | None = None) -> str:
    """The message a worker expects: see docs/jobs.md. Without an id its SQS message id is it."""
    named = {"job_id": job_id} if job_id else {}
    return json.dumps({**named, "payload": payload})


class JobsDesk:
    """The jobs side of one stack. Raises botocore's ClientError when AWS refuses a call."""

    def __init__(self, stack: Stack) -> None:
        self._queue_url = stack.output("JobsQueueUrl")
        self._table_name = stack.output("JobsTableName")
        self._sender = SqsJobSender(stack.cloud.client("sqs"), self._queue_url)
        self._dynamodb = stack.cloud.client("dynamodb")

    @property
    def queue_url(self) -> str:
        return self._queue_url

    def send(self, bodies: Sequence[str]) -> list[str]:
        """Send messages and return their SQS ids in order.

        Raises CommandError when the queue refused some (it names the first).
        """
        try:
            return self._sender.send(bodies)
        except NotSentError as error:
            raise CommandError(f"{error}") from error

    def read(self, job_ids: Iterable[str]) -> list[Job]:
        """The jobs which have an item; one that no worker has received yet has none."""
        found: list[Job] = []
        for batch in _batches(job_ids, READ_BATCH):
            keys = [{"job_id": {"S": name}} for name in batch]
            wanted = {self._table_name: {"Keys": keys, "ConsistentRead": True}}
            while wanted:
                answer = self._dynamodb.batch_get_item(RequestItems=wanted)
                found += [job_of(item) for item in answer["Responses"].get(self._table_name, [])]
                wanted = answer.get("UnprocessedKeys", {})
        return found


def job_id_of(body: str) -> str | None:
    """The id within a message; None when the body is not a job."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    job_id = parsed.get("job_id") if isinstance(parsed, dict) else None
    return job_id if isinstance(job_id, str) else None


def job_of(item: dict[str, Any]) -> Job:
    """A DynamoDB item of the jobs table as a Job; absent attributes stay unset."""
    known = {name: plain(value) for name, value in item.items() if name in JOB_FIELDS}
    history = tuple(
        Attempt(**{name: value for name, value in entry.items() if name in ATTEMPT_FIELDS})
        for entry in known.pop("history", ())
    )
    return Job(**{"state": "unknown", "sent_at": 0.0, **known}, history=history)


def _batches(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch
