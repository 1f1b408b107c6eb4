"""SQS: how deep the job queue is, the watch's ticks, and messages that are given back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pilotlight.aws.calls import named_errors
from pilotlight.errors import TransientError
from pilotlight.scaling.decision import QueueDepth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SendMessageBatch takes so many (SQS API reference), for the price of one request.
_BATCH_SIZE = 10


class JobsQueue:
    """Implements scaling's DepthReader."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def depth(self) -> QueueDepth:
        with named_errors():
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        counts = answer["Attributes"]
        return QueueDepth(
            visible=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(counts["ApproximateNumberOfMessagesDelayed"]),
        )


class WatchQueue:
    """Implements scaling's TickSender; each message's own delay makes the tick wait."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send_ticks(self, delays_seconds: Sequence[int]) -> None:
        for first in range(0, len(delays_seconds), _BATCH_SIZE):
            self._send_batch(delays_seconds[first : first + _BATCH_SIZE])

    def _send_batch(self, delays_seconds: Sequence[int]) -> None:
        with named_errors():
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(delay), "MessageBody": "look", "DelaySeconds": delay}
                    for delay in delays_seconds
                ],
            )
        if failed := answer.get("Failed", []):
            raise TransientError(f"ticks not sent, by their delay in seconds: {failed}")


class SourceQueue:
    """The queue that a function is fed from."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def give_back(self, receipt_handle: str, seconds: int) -> None:
        """Makes the message visible again after so many seconds."""
        with named_errors():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
