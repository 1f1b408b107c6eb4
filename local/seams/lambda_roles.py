"""Lambda takes only what it may use: roles that trust it and may trace, queues they may read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.context import CloudContext
from local.seams.permissions import role_may, service_may_assume

READER_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
NO_PERMISSION = "The provided execution role does not have permissions to call {} on {}"
Refuse = Callable[[dict[str, Any]], str]


def install(_context: CloudContext) -> None:
    """Stock maps any queue to any function, and takes any role.

    Refusals are alike for callers of the API and for stacks.
    """
    lambda_svc._create_function = refusing(lambda_svc._create_function, refuse_role)
    lambda_svc._update_config = refusing_update(lambda_svc._update_config)
    lambda_svc._create_esm = refusing(lambda_svc._create_esm, refuse_reader)
    refuse_in_stacks("AWS::Lambda::Function", refuse_role)
    refuse_in_stacks("AWS::Lambda::EventSourceMapping", refuse_reader)


def refusing(stock: Callable[..., Any], refuse: Refuse) -> Callable[..., Any]:
    def create(data: dict[str, Any]) -> Any:
        if refusal := refuse(data):
            return responses.error_response_json("InvalidParameterValueException", refusal, 400)
        return stock(data)

    return create


def refusing_update(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Refusals of what the function would become; stacks update through the same function."""

    def update(name: str, data: dict[str, Any]) -> Any:
        config = (lambda_svc._functions.get(name) or {}).get("config") or {}
        if config and (refusal := refuse_role({**config, **data})):
            return responses.error_response_json("InvalidParameterValueException", refusal, 400)
        return stock(name, data)

    return update


def refuse_in_stacks(resource_type: str, refuse: Refuse) -> None:
    steps = provisioners._RESOURCE_HANDLERS[resource_type]
    stock = steps["create"]

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        if refusal := refuse(props):
            raise ValueError(refusal)
        return stock(logical_id, props, stack_name)

    steps["create"] = create


def refuse_role(data: dict[str, Any]) -> str:
    """AWS's words when a function cannot have its role; empty when it can.

    A role that may not send traces is refused where tracing is active (words as in
    functionalone/serverless-iam-roles-per-function#39).
    """
    role_arn = data.get("Role", "")
    if not service_may_assume(role_arn, "lambda.amazonaws.com"):
        return "The role defined for the function cannot be assumed by Lambda."
    traces = (data.get("TracingConfig") or {}).get("Mode") == "Active"
    if traces and not role_may(role_arn, "xray:PutTraceSegments", "*"):
        return NO_PERMISSION.format("PutTraceSegments", "XRAY")
    return ""


def refuse_reader(data: dict[str, Any]) -> str:
    """AWS's words when the function's role may not read the queue; empty when it may."""
    source_arn = data.get("EventSourceArn", "")
    if ":sqs:" not in source_arn:
        return ""
    _, config, _ = lambda_svc._get_func_record_for_ref(data.get("FunctionName", ""))
    for action in READER_ACTIONS if config else ():
        if not role_may(config["Role"], f"sqs:{action}", source_arn):
            return NO_PERMISSION.format(action, "SQS")
    return ""
