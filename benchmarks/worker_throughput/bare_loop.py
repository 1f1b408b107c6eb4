"""Receives and deletes, and nothing else; arguments are QUEUE_URL COUNT BATCH.

The floor that the worker is compared with: one thread, `BATCH` messages for each ReceiveMessage
and each delete. Prints how many seconds `COUNT` messages took.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import boto3


def main() -> None:
    queue_url, count, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    sqs = boto3.client("sqs")
    sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])  # connects
    delete = _delete_one if batch == 1 else _delete_batch
    began = time.perf_counter()
    deleted = 0
    while deleted < count:
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=batch, WaitTimeSeconds=2
        )
        messages = answer.get("Messages", [])
        if messages:
            delete(sqs, queue_url, messages)
            deleted += len(messages)
    sys.stdout.write(f"{time.perf_counter() - began}\n")


def _delete_one(sqs: Any, queue_url: str, messages: Sequence[Mapping[str, Any]]) -> None:
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=messages[0]["ReceiptHandle"])


def _delete_batch(sqs: Any, queue_url: str, messages: Sequence[Mapping[str, Any]]) -> None:
    entries = [
        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
        for number, message in enumerate(messages)
    ]
    sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)


if __name__ == "__main__":
    main()
