"""What lies in the jobs' dead-letter queue, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.jobs import job_id_of
from cli.stack import Stack

HIDDEN_SECONDS = 30  # long enough to have seen all of them, and they are there again soon after


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`job_id` is None when the message names none; `reason` is empty for what SQS moved itself."""

    message_id: str
    body: str
    job_id: str | None
    reason: str


def read_dead_letters(stack: Stack) -> list[DeadLetter]:
    """All that are visible; they stay in the queue."""
    sqs = stack.cloud.client("sqs")
    found: dict[str, DeadLetter] = {}
    while True:
        messages = sqs.receive_message(
            QueueUrl=stack.output("JobsDeadLetterQueueUrl"),
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        fresh = [one for one in messages if one["MessageId"] not in found]
        if not fresh:
            return list(found.values())
        found |= {one["MessageId"]: dead_letter_of(one) for one in fresh}


def dead_letter_of(message: Mapping[str, Any]) -> DeadLetter:
    """One element of ReceiveMessage's answer."""
    attributes = {
        name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()
    }
    return DeadLetter(
        message_id=message["MessageId"],
        body=message["Body"],
        job_id=attributes.get("job_id") or job_id_of(message["Body"]),
        reason=attributes.get("reason", ""),
    )
