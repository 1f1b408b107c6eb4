"""SQS: how deep the job queue is, the watch's tick, and messages that are given back."""

from typing import TYPE_CHECKING

from pilotlight.aws.calls import named_errors
from pilotlight.scaling.decision import QueueDepth
from pilotlight.scaling.watch import write_tick

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# One group: SQS hands out one tick at a time.
_TICK_GROUP = "watch"


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
    """Implements scaling's TickSender; the queue's own delay makes the tick wait."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send_tick(self, slot: int) -> None:
        with named_errors():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=write_tick(slot),
                MessageGroupId=_TICK_GROUP,
                MessageDeduplicationId=f"slot-{slot}",
            )


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
