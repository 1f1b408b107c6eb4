"""SQS: functions read their queues at once, and a message is weighed whole."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ministack.core import concurrency
from ministack.services import sqs

from local.context import CloudContext

LOOK_SECONDS = 0.1


def install(context: CloudContext) -> None:
    """Put both in place."""
    look_all_the_time(context)
    weigh_attributes()


def look_all_the_time(context: CloudContext) -> None:
    """Stock looks for delayed and returned messages once a second; AWS's pollers never stop."""
    ended = threading.Event()
    context.on_stop(ended.set)

    def keep_looking() -> None:
        while not ended.wait(LOOK_SECONDS):
            concurrency.esm_wake.set()

    threading.Thread(target=keep_looking, daemon=True, name="queue-pollers").start()


def weigh_attributes() -> None:
    """Stock weighs the body alone; on AWS name, type and value of each attribute count as well.

    SQS guide, "Amazon SQS message metadata": all parts of an attribute are part of the limit.
    """
    stock = sqs._act_send_message

    def send_message(request: dict[str, Any], queue_url: str) -> Any:
        queue = sqs._get_q(request.get("QueueUrl", queue_url), "sqs:SendMessage")
        limit_bytes = int(queue["attributes"]["MaximumMessageSize"])
        body_bytes = len(str(request.get("MessageBody", "")).encode("utf-8"))
        if body_bytes + bytes_of(request.get("MessageAttributes") or {}) > limit_bytes:
            raise sqs._Err(
                "InvalidParameterValue",
                "One or more parameters are invalid. Reason: "
                f"Message must be shorter than {limit_bytes} bytes.",
            )
        return stock(request, queue_url)

    sqs._act_send_message = send_message
    sqs._HANDLERS["SendMessage"] = send_message


def bytes_of(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """What message attributes weigh; a binary value comes in Base64, four letters for three."""
    weight = 0
    for name, attribute in attributes.items():
        told = [name, attribute.get("DataType", ""), attribute.get("StringValue", "")]
        weight += sum(len(str(part).encode("utf-8")) for part in told)
        weight += len(attribute.get("BinaryValue", "")) * 3 // 4
    return weight
