"""SNS: telling a person."""

from typing import TYPE_CHECKING

from pilotlight.aws.calls import named_errors

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class AlertTopic:
    """Implements fleet's Alerts."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, subject: str, message: str) -> None:
        with named_errors():
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=message)
