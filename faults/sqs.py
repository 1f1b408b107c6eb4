"""The SQS API over the queues of one run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from faults.clients import Answer, RefusedError
from faults.queues import Message, Queue

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
Request = Mapping[str, Any]


class SqsApi:
    def __init__(self, queues: list[Queue]) -> None:
        self._by_url = {queue.url: queue for queue in queues}

    def answers(self) -> Mapping[str, Answer]:
        return {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibility": self._change_visibility,
            "GetQueueAttributes": self._attributes,
        }

    def _queue(self, request: Request) -> Queue:
        queue = self._by_url.get(request["QueueUrl"])
        if queue is None:
            raise RefusedError("QueueDoesNotExist", f"there is no {request['QueueUrl']}")
        return queue

    def _send(self, request: Request) -> Request:
        message_id = self._queue(request).send(
            request["MessageBody"],
            request.get("DelaySeconds", 0),
            dict(request.get("MessageAttributes", {})),
        )
        return {"MessageId": message_id, "MD5OfMessageBody": _md5(request["MessageBody"])}

    def _send_batch(self, request: Request) -> Request:
        sent = [
            {"Id": entry["Id"], **self._send({"QueueUrl": request["QueueUrl"], **entry})}
            for entry in request["Entries"]
        ]
        return {"Successful": sent, "Failed": []}

    def _receive(self, request: Request) -> Request:
        messages = self._queue(request).receive(
            request.get("MaxNumberOfMessages", 1), request.get("WaitTimeSeconds", 0)
        )
        return {"Messages": [_described(message) for message in messages]} if messages else {}

    def _delete(self, request: Request) -> Request:
        self._queue(request).delete(request["ReceiptHandle"])
        return {}

    def _delete_batch(self, request: Request) -> Request:
        queue = self._queue(request)
        for entry in request["Entries"]:
            queue.delete(entry["ReceiptHandle"])
        return {"Successful": [{"Id": it["Id"]} for it in request["Entries"]], "Failed": []}

    def _change_visibility(self, request: Request) -> Request:
        self._queue(request).change_visibility(
            request["ReceiptHandle"], request["VisibilityTimeout"]
        )
        return {}

    def _attributes(self, request: Request) -> Request:
        counts = dict(zip(COUNTS, map(str, self._queue(request).counts()), strict=True))
        return {"Attributes": {name: counts[name] for name in request["AttributeNames"]}}


def _described(message: Message) -> Request:
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
        "Attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(round(message.sent_at * 1000)),
        },
        "MessageAttributes": message.attributes,
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
