"""The dead-letter queue as a worker writes it."""

from typing import TYPE_CHECKING

from pilotlight.jobs.dead_letter import DeadLetter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef


class SqsDeadLetters:
    """Raises botocore's ClientError or ConnectionError when SQS refuses or cannot be reached."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, letter: DeadLetter) -> None:
        """Body and attributes count together: SQS refuses them above 1 MiB."""
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=letter.body,
            MessageAttributes={name: _typed(value) for name, value in letter.attributes().items()},
        )


def _typed(value: str | int) -> "MessageAttributeValueTypeDef":
    data_type = "String" if isinstance(value, str) else "Number"
    return {"DataType": data_type, "StringValue": str(value)}
