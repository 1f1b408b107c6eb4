"""The jobs queue as a worker uses it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pilotlight.errors import PilotlightError
from pilotlight.jobs.attempts import ReceivedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MAX_BATCH = 10  # ReceiveMessage gives no more (botocore's SQS model)
# What SQS answers to a receipt whose message is visible again, deleted, or 12 hours old.
LEASE_LOST_CODES = frozenset(
    {
        "AWS.SimpleQueueService.MessageNotInflight",
        "MessageNotInflight",
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",
    }
)


class LeaseLostError(PilotlightError):
    """The message is no longer this worker's: its visibility timeout ran out or it was deleted."""


class SqsJobsQueue:
    """Raises botocore's ClientError or ConnectionError when SQS refuses or cannot be reached."""

    def __init__(self, client: "SQSClient", queue_url: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._queue_url = queue_url
        self._clock = clock

    def receive(self, at_most: int, wait_seconds: int) -> list[ReceivedMessage]:
        """Long-poll once for up to `at_most` messages (ten at the most)."""
        answer = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=min(at_most, MAX_BATCH),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        received_at = self._clock()
        return [_received(message, received_at) for message in answer.get("Messages", [])]

    def visible(self) -> int:
        """ApproximateNumberOfMessages: what waits to be received."""
        answer = self._client.get_queue_attributes(
            QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def set_visibility(self, message: ReceivedMessage, seconds: int) -> None:
        """Keep the message hidden for `seconds` from now; 0 hands it back at once.

        Raises LeaseLostError when the message is not this receiver's any more.
        """
        try:
            self._client.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=message.receipt_handle,
                VisibilityTimeout=seconds,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in LEASE_LOST_CODES:
                raise LeaseLostError(f"message {message.message_id}: {code}") from error
            raise

    def delete_batch(self, messages: Sequence[ReceivedMessage]) -> Mapping[str, str]:
        """Up to ten; returns why, by message id, those were not deleted that were not."""
        answer = self._client.delete_message_batch(
            QueueUrl=self._queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message.receipt_handle}
                for number, message in enumerate(messages)
            ],
        )
        return {
            messages[int(entry["Id"])].message_id: f"{entry['Code']}: {entry.get('Message', '')}"
            for entry in answer.get("Failed", [])
        }


def _received(message: "MessageTypeDef", received_at: float) -> ReceivedMessage:
    attributes = message["Attributes"]
    return ReceivedMessage(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        attempt=int(attributes["ApproximateReceiveCount"]),
        sent_at=int(attributes["SentTimestamp"]) / 1000,
        received_at=received_at,
    )
