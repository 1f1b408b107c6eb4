"""Sending jobs and waiting for their results, from any Python program.

    from pilotlight.client import Client, submit

    submit({"task": "train", "seed": 7})

    client = Client("pilotlight")
    job = client.submit({"task": "train", "seed": 7})
    print(client.wait(job.job_id, timeout_seconds=600))

Account, Region and credentials are those of the SDK's own settings. A job sent here is the same
as one sent by `aws sqs send-message`: docs/jobs.md has the message.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pilotlight.aws.bucket import S3Payloads
from pilotlight.aws.configured_clients import JobsClients, configured_clients
from pilotlight.aws.job_items import DynamoDbJobItems
from pilotlight.aws.job_sender import SqsJobSender
from pilotlight.aws.stack_outputs import JobsPlace, jobs_place
from pilotlight.errors import PilotlightError
from pilotlight.jobs.submission import Submission, submission

FIRST_LOOK_SECONDS = 0.5
LAST_LOOK_SECONDS = 5.0  # between looks: a wait of an hour is about 700 reads, USD 0.0001


class JobUnfinishedError(PilotlightError):
    """There is no result yet; `state` is empty while no worker has received the job."""

    def __init__(self, job_id: str, state: str, error: str = "") -> None:
        told = f"it is {state}"
        if not state:
            told = "it has not been received by a worker, or never was sent"
        elif state in ("failed", "interrupted"):
            told = f"its latest attempt ended as {state}, {error}, and it runs again"
        super().__init__(f"job {job_id} has no result yet: {told}")
        self.state = state


class JobDeadLetteredError(PilotlightError):
    """There will be no result: the message has the error of the last attempt."""


@dataclass(frozen=True)
class Submitted:
    """A job in the queue: the id to ask for, and SQS's id of its message."""

    job_id: str
    message_id: str


class Client:
    """The jobs of one stack, whose outputs are read once. Thread-safe, and worth keeping.

    With `place` no stack is asked. Methods raise botocore's ClientError or BotoCoreError when AWS
    refuses or is out of reach, after the retries of boto3's standard mode; the constructor raises
    StackError, too.
    """

    def __init__(
        self,
        stack: str = "pilotlight",
        *,
        place: JobsPlace | None = None,
        clients: JobsClients | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        clients = clients or configured_clients()
        place = place or jobs_place(clients.cloudformation, stack)
        self._sender = SqsJobSender(clients.sqs, place.queue_url)
        self._items = DynamoDbJobItems(clients.dynamodb, place.table_name)
        self._payloads = S3Payloads(clients.s3, place.bucket_name)
        self._clock = clock
        self._sleep = sleep

    def submit(self, payload: Any, *, job_id: str | None = None) -> Submitted:
        """Send one job; a payload too large for a message goes through the bucket.

        `job_id` is the key by which a job is done once; without it there will be a random one.
        Raises SubmissionError for what no worker would take.
        """
        return self._send([submission(uuid.uuid4().hex if job_id is None else job_id, payload)])[0]

    def submit_many(self, payloads: Iterable[Any] | Mapping[str, Any]) -> list[Submitted]:
        """Send many jobs, ten in a request; of a mapping the keys are the job ids.

        Raises SubmissionError before anything is sent, and NotSentError in the middle: what was
        sent stays sent, and sending the same job ids again does no harm.
        """
        if not isinstance(payloads, Mapping):
            payloads = {uuid.uuid4().hex: payload for payload in payloads}
        return self._send([submission(name, payload) for name, payload in payloads.items()])

    def result(self, job_id: str) -> Any:
        """What the handler returned. Raises JobUnfinishedError or JobDeadLetteredError."""
        item = self._items.get(job_id)
        if item is None or item.state not in ("succeeded", "dead_lettered"):
            raise JobUnfinishedError(job_id, *((item.state, item.error) if item else ("",)))
        if item.state == "dead_lettered":
            raise JobDeadLetteredError(f"job {job_id} has no result: {item.error}")
        return json.loads(item.result)

    def wait(self, job_id: str, timeout_seconds: float) -> Any:
        """What the handler returned, once it has. Raises as `result` does when the time is over."""
        give_up_at = self._clock() + timeout_seconds
        pause_seconds = FIRST_LOOK_SECONDS
        while True:
            try:
                return self.result(job_id)
            except JobUnfinishedError:
                left_seconds = give_up_at - self._clock()
                if left_seconds <= 0:
                    raise
            self._sleep(min(pause_seconds, left_seconds))
            pause_seconds = min(pause_seconds * 1.5, LAST_LOOK_SECONDS)

    def _send(self, submissions: list[Submission]) -> list[Submitted]:
        """Payloads first: a message must never arrive before what it speaks of."""
        for job in submissions:
            if job.stored is not None:
                self._payloads.put(job.job_id, job.stored)
        message_ids = self._sender.send([job.body for job in submissions])
        return [
            Submitted(job.job_id, message_id)
            for job, message_id in zip(submissions, message_ids, strict=True)
        ]


def submit(payload: Any, *, job_id: str | None = None, stack: str = "pilotlight") -> Submitted:
    """Send one job to a stack; see Client.submit."""
    return _client(stack).submit(payload, job_id=job_id)


@cache
def _client(stack: str) -> Client:
    return Client(stack)
