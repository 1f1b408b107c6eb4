"""Lambda takes only what it may use: roles that trust it, and queues which the role may read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.context import CloudContext
from local.seams.permissions import role_may, service_may_assume

READER_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
Refuse = Callable[[dict[str, Any]], str]


def install(_context: CloudContext) -> None:
    """Stock maps any queue to any function, and takes roles that trust somebody else.

    Refusals are alike for callers of the API and for stacks.
    """
    lambda_svc._create_function = refusing(lambda_svc._create_function, refuse_role)
    lambda_svc._create_esm = refusing(lambda_svc._create_esm, refuse_reader)
    refuse_in_stacks("AWS::Lambda::Function", refuse_role)
    refuse_in_stacks("AWS::Lambda::EventSourceMapping", refuse_reader)


def refusing(stock: Callable[..., Any], refuse: Refuse) -> Callable[..., Any]:
    def create(data: dict[str, Any]) -> Any:
        if refusal := refuse(data):
            return responses.error_response_json("InvalidParameterValueException", refusal, 400)
        return stock(data)

    return create


def refuse_in_stacks(resource_type: str, refuse: Refuse) -> None:
    steps = provisioners._RESOURCE_HANDLERS[resource_type]
    stock = steps["create"]

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        if refusal := refuse(props):
            raise ValueError(refusal)
        return stock(logical_id, props, stack_name)

    steps["create"] = create


def refuse_role(data: dict[str, Any]) -> str:
    """AWS's words when Lambda may not assume the function's role; empty when it may."""
    if service_may_assume(data.get("Role", ""), "lambda.amazonaws.com"):
        return ""
    return "The role defined for the function cannot be assumed by Lambda."


def refuse_reader(data: dict[str, Any]) -> str:
    """AWS's words when the function's role may not read the queue; empty when it may."""
    source_arn = data.get("EventSourceArn", "")
    if ":sqs:" not in source_arn:
        return ""
    _, config, _ = lambda_svc._get_func_record_for_ref(data.get("FunctionName", ""))
    for action in READER_ACTIONS if config else ():
        if not role_may(config["Role"], f"sqs:{action}", source_arn):
            return f"The provided execution role does not have permissions to call {action} on SQS"
    return ""
