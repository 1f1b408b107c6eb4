"""Lifecycle notifications to the SQS queue or SNS topic that a hook names.

Shape from the user guide, prepare-for-lifecycle-notifications, with Origin and Destination as real
payloads have them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from local.group.activities import timestamp
from local.group.errors import ValidationError
from local.group.events import GroupEvent
from local.group.settings import Hook

ClientOf = Callable[[str], Any]


class UndeliverableError(Exception):
    """The notification target does not take messages."""


class Notifications:
    """Sends through boto3 clients, as the service itself calls SQS and SNS."""

    def __init__(self, account_id: str, client_of: ClientOf) -> None:
        self._account_id = account_id
        self._client_of = client_of

    def test(self, group_name: str, group_arn: str, hook: Hook, now: float) -> None:
        """What PutLifecycleHook sends; raises ValidationError when it cannot be delivered."""
        body = {
            "AccountId": self._account_id,
            "RequestId": str(uuid4()),
            "AutoScalingGroupARN": group_arn,
            "AutoScalingGroupName": group_name,
            "Service": "AWS Auto Scaling",
            "Event": "autoscaling:TEST_NOTIFICATION",
            "Time": timestamp(now),
        }
        try:
            self._send(hook, body)
        except UndeliverableError as error:
            raise ValidationError(
                f"Unable to publish test message to notification target "
                f"{hook.notification_target_arn} using IAM role {hook.role_arn}: {error}"
            ) from error

    def send(self, event: GroupEvent, hook: Hook) -> None:
        """The notification of one lifecycle action; raises UndeliverableError."""
        detail = {key: value for key, value in event.detail.items() if key != "Action"}
        body = {
            "AccountId": self._account_id,
            "RequestId": str(uuid4()),
            "Service": "AWS Auto Scaling",
            "Time": timestamp(event.time),
            **detail,
        }
        self._send(hook, body)

    def _send(self, hook: Hook, body: dict[str, str]) -> None:
        target = hook.notification_target_arn or ""
        service = target.split(":")[2] if target.count(":") >= 5 else ""
        try:
            if service == "sqs":
                self._to_queue(target, json.dumps(body))
            elif service == "sns":
                self._client_of("sns").publish(
                    TopicArn=target, Message=json.dumps(body), Subject=_subject(body)
                )
            else:
                raise UndeliverableError(f"{target} is neither an SQS queue nor an SNS topic")
        except ClientError as error:
            raise UndeliverableError(str(error)) from error

    def _to_queue(self, arn: str, body: str) -> None:
        account_id, name = arn.split(":")[4:6]
        sqs = self._client_of("sqs")
        url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account_id)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=body)


def _subject(body: dict[str, str]) -> str:
    what = "test notification" if "Event" in body else "Lifecycle action"
    return f'Auto Scaling: {what} for group "{body["AutoScalingGroupName"]}"'[:100]
