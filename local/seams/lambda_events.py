"""Lambda's asynchronous side: where an event goes which a function could not handle."""

from __future__ import annotations

import json
import logging
from typing import Any

from local.context import CloudContext
from local.seams.permissions import role_may

log = logging.getLogger(__name__)


def install(_context: CloudContext) -> None:
    """Stock sends destinations and dead-letter queues the same envelope, and asks no role.

    AWS sends a dead-letter queue the event itself with three attributes, a destination the
    envelope (Lambda guide, invocation-async-retain-records), both as the function's role.
    """
    from ministack.services import lambda_svc

    stock = lambda_svc._route_async_failure

    def route(target_arn: str, name: str, event: Any, result: dict[str, Any]) -> None:
        record = lambda_svc._functions.get(name) or {}
        config = record.get("config") or {}
        if target_arn.split(":")[2] == "sqs":
            if not role_may(config.get("Role", ""), "sqs:SendMessage", target_arn):
                log.warning("the role of %s may not send to %s: event lost", name, target_arn)
                return
            if (config.get("DeadLetterConfig") or {}).get("TargetArn") == target_arn:
                send_to_dead_letter_queue(target_arn, event, result)
                return
        stock(target_arn, name, event, result)

    lambda_svc._route_async_failure = route


def send_to_dead_letter_queue(queue_arn: str, event: Any, result: dict[str, Any]) -> None:
    from ministack.core import responses
    from ministack.services import sqs

    body = result.get("body")
    error = body if isinstance(body, dict) else {}
    attributes = {
        "RequestID": responses.new_uuid(),
        "ErrorCode": "200",
        "ErrorMessage": str(error.get("errorMessage", ""))[:1024] or "Unknown",
    }
    message = {
        "MessageBody": json.dumps(event),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    sqs._act_send_message(message, sqs._queue_url(queue_arn.rpartition(":")[2]))
