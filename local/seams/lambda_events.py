"""Lambda's asynchronous side: failed events, and mappings which read queues by the role."""

from __future__ import annotations

import json
import logging
from typing import Any

from local.context import CloudContext
from local.seams.permissions import role_may

READER_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
log = logging.getLogger(__name__)


def install(_context: CloudContext) -> None:
    """Patch where failed events go, and who may read a queue."""
    route_failed_events()
    check_role_reads_queue()


def route_failed_events() -> None:
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


def check_role_reads_queue() -> None:
    """Stock maps any queue to any function; AWS refuses when the role may not read the queue."""
    from ministack.core import responses
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    stock = lambda_svc._create_esm
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    stock_create = handlers["create"]

    def create_esm(data: dict[str, Any]) -> Any:
        refusal = refuse_reader(data.get("FunctionName", ""), data.get("EventSourceArn", ""))
        if refusal:
            return responses.error_response_json("InvalidParameterValueException", refusal, 400)
        return stock(data)

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        refusal = refuse_reader(props.get("FunctionName", ""), props.get("EventSourceArn", ""))
        if refusal:
            raise ValueError(refusal)
        return stock_create(logical_id, props, stack_name)

    lambda_svc._create_esm = create_esm
    handlers["create"] = create


def refuse_reader(function_ref: str, source_arn: str) -> str:
    """AWS's words when the function's role may not read `source_arn`; empty when it may."""
    from ministack.services import lambda_svc

    if ":sqs:" not in source_arn:
        return ""
    _, config, _ = lambda_svc._get_func_record_for_ref(function_ref)
    for action in READER_ACTIONS if config else ():
        if not role_may(config["Role"], f"sqs:{action}", source_arn):
            return f"The provided execution role does not have permissions to call {action} on SQS"
    return ""
