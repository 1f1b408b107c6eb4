"""The dead-letter queue of a stack: what lies in it, read without taking anything away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cli.errors import CommandError
from cli.jobs import job_id_of
from cli.stack import Stack

BATCH = 10  # ReceiveMessage, and the batch calls that answer it, know no more
# SQS keeps a queue on many servers, and only a long poll asks all of them.
POLL_SECONDS = 1
# While a letter is looked at nobody else sees it. Put back at the end, this is for crashes.
HIDDEN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of the dead-letter queue. What SQS moved there by itself has no `reason`."""

    message_id: str
    receipt_handle: str
    body: str
    job_id: str
    sent_at: float
    reason: str = ""
    failures: int = 0
    interruptions: int = 0
    log_group: str = ""
    log_stream: str = ""

    @property
    def is_malformed(self) -> bool:
        """Whether no worker can read it, however often it is sent."""
        return self.reason.startswith("MalformedJob")


class DeadLetterQueue:
    """Raises CommandError when the jobs queue has none, else botocore's errors."""

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.cloud.client("sqs")
        self.url = dead_letter_queue_url(stack)

    @contextmanager
    def all_letters(self) -> Iterator[list[Letter]]:
        """Everything that lies there; it is visible to others again when the block ends."""
        letters: dict[str, Letter] = {}
        try:
            while fresh := [it for it in self._receive() if it.message_id not in letters]:
                letters |= {letter.message_id: letter for letter in fresh}
            yield sorted(letters.values(), key=lambda letter: letter.sent_at)
        finally:
            self._put_back(list(letters.values()))

    def job_ids(self) -> set[str]:
        """Of all that lies there."""
        with self.all_letters() as letters:
            return {letter.job_id for letter in letters}

    def delete(self, letter: Letter) -> None:
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt_handle)

    def _receive(self) -> list[Letter]:
        answer = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=POLL_SECONDS,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return [letter_of(message) for message in answer.get("Messages", [])]

    def _put_back(self, letters: Sequence[Letter]) -> None:
        """What was deleted meanwhile is reported as failed by SQS, and that is right."""
        for start in range(0, len(letters), BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": letter.receipt_handle, "VisibilityTimeout": 0}
                    for n, letter in enumerate(letters[start : start + BATCH])
                ],
            )


def dead_letter_queue_url(stack: Stack) -> str:
    """Of the stack's own queue by its output, of a queue of yours by its redrive policy."""
    if url := stack.outputs.get("JobsDeadLetterQueueUrl"):
        return url
    sqs = stack.cloud.client("sqs")
    queue_url = stack.output("JobsQueueUrl")
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])
    policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy", "{}"))
    if "deadLetterTargetArn" not in policy:
        raise CommandError(
            f"The jobs queue {queue_url} has no redrive policy, hence no dead-letter queue: "
            "give it one, or jobs that fail come again for as long as the queue keeps them."
        )
    account_id, name = policy["deadLetterTargetArn"].split(":")[4:6]
    return str(sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account_id)["QueueUrl"])


def letter_of(message: dict[str, Any]) -> Letter:
    """One element of ReceiveMessage's answer.

    The job's id is what the worker wrote beside it, else that in the body, else the message's own:
    SQS keeps it when it moves a message.
    """
    said = {
        name: value["StringValue"]
        for name, value in message.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    return Letter(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        job_id=said.get("job_id") or job_id_of(message["Body"]) or message["MessageId"],
        sent_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
        reason=said.get("reason", ""),
        failures=_count(said.get("failures")),
        interruptions=_count(said.get("interruptions")),
        log_group=said.get("log_group", ""),
        log_stream=said.get("log_stream", ""),
    )


def _count(text: str | None) -> int:
    """Whoever may send to the queue may write beside a message what he likes."""
    return int(text) if text and text.isdecimal() else 0
