"""Lambda's asynchronous side: where an event goes which a function could not handle."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.context import CloudContext
from local.seams.permissions import role_may

log = logging.getLogger(__name__)
RETRIES_UNLESS_TOLD = 2


def install(_context: CloudContext) -> None:
    """Stock sends destinations and dead-letter queues the same envelope, and asks no role.

    AWS sends a dead-letter queue the event itself with three attributes, a destination the
    record of the invocation (Lambda guide, invocation-async-retain-records), both as the
    function's role.
    """
    from ministack.services import lambda_svc

    stock = lambda_svc._route_async_failure

    def route(target_arn: str, name: str, event: Any, result: dict[str, Any]) -> None:
        function = lambda_svc._functions.get(name) or {}
        config = function.get("config") or {}
        if target_arn.split(":")[2] != "sqs":
            stock(target_arn, name, event, result)
        elif not role_may(config.get("Role", ""), "sqs:SendMessage", target_arn):
            log.warning("the role of %s may not send to %s: event lost", name, target_arn)
        elif (config.get("DeadLetterConfig") or {}).get("TargetArn") == target_arn:
            send_to_dead_letter_queue(target_arn, event, result)
        else:
            record = invocation_record(function, event, result)
            send(target_arn, {"MessageBody": json.dumps(record)})

    lambda_svc._route_async_failure = route


def invocation_record(
    function: Mapping[str, Any], event: Any, result: Mapping[str, Any]
) -> dict[str, Any]:
    """What a destination is sent. Stock counts three attempts whatever the function's settings."""
    from ministack.core import responses

    settings = (
        function.get("event_invoke_config")
        or (function.get("event_invoke_configs") or {}).get("$LATEST")
        or {}
    )
    retries = settings.get("MaximumRetryAttempts")
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": responses.new_uuid(),
            "functionArn": f"{function['config']['FunctionArn']}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1 + (RETRIES_UNLESS_TOLD if retries is None else retries),
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": result.get("function_error") or "Unhandled",
        },
        "responsePayload": body_of(result),
    }


def send_to_dead_letter_queue(queue_arn: str, event: Any, result: Mapping[str, Any]) -> None:
    from ministack.core import responses

    attributes = {
        "RequestID": responses.new_uuid(),
        "ErrorCode": "200",
        "ErrorMessage": str(body_of(result).get("errorMessage", ""))[:1024] or "Unknown",
    }
    message = {
        "MessageBody": json.dumps(event),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    send(queue_arn, message)


def body_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """The error as the runtime reported it; empty when there is none."""
    body = result.get("body")
    return body if isinstance(body, dict) else {}


def send(queue_arn: str, message: dict[str, Any]) -> None:
    from ministack.services import sqs

    if sqs._queue_by_arn(queue_arn) is None:
        log.warning("there is no queue %s: event lost", queue_arn)
        return
    sqs._act_send_message(message, sqs._queue_url(queue_arn.rpartition(":")[2]))
