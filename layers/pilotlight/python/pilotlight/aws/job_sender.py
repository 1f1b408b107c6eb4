"""Sending messages to the jobs queue, many at once."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pilotlight.errors import PilotlightError
from pilotlight.jobs.message import MAX_BODY_BYTES

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH = 10  # SendMessageBatch takes ten, of MAX_BODY_BYTES together


class NotSentError(PilotlightError):
    """SQS refused one message; `sent` has the ids of those before it and of others it took."""

    def __init__(self, message: str, sent: Sequence[str]) -> None:
        super().__init__(message)
        self.sent = sent


class SqsJobSender:
    """Raises botocore's ClientError or BotoCoreError when SQS refuses or cannot be reached."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, bodies: Sequence[str]) -> list[str]:
        """The SQS message ids, in order. Raises NotSentError when some were refused."""
        sent: list[str] = []
        for batch in _batches(bodies):
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(batch)],
            )
            by_entry = {it["Id"]: it["MessageId"] for it in answer.get("Successful", [])}
            taken = [by_entry[str(n)] for n in range(len(batch)) if str(n) in by_entry]
            sent += taken
            for refused in answer.get("Failed", []):
                place = len(sent) - len(taken) + int(refused["Id"])
                raise NotSentError(
                    f"SQS refused message {place} of {len(bodies)}: {refused['Code']} "
                    f"{refused.get('Message', '')}; {len(sent)} were sent",
                    sent,
                )
        return sent


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    left = MAX_BODY_BYTES
    for body in bodies:
        size_bytes = len(body.encode())
        if batch and (len(batch) == BATCH or size_bytes > left):
            yield batch
            batch, left = [], MAX_BODY_BYTES
        batch.append(body)
        left -= size_bytes
    if batch:
        yield batch
