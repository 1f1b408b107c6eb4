"""Whether AWS's own services may do something: by a resource's policy, or by a role they assume."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from local.context import CloudContext

P = ParamSpec("P")
R = TypeVar("R")


def in_account(
    context: CloudContext, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Call ministack code from any thread as a request to `context`'s account and region would."""
    from ministack.core import iam_evaluator, responses

    def call() -> R:
        responses.set_request_account_id(context.account_id)
        responses.set_request_region(context.region)
        iam_evaluator.pin_request_origin("127.0.0.1", True)
        return function(*args, **kwargs)

    return contextvars.copy_context().run(call)


def service_may_send(queue_arn: str, service: str, source_arn: str) -> bool:
    """Whether a queue's policy lets `service` (events.amazonaws.com) send for `source_arn`."""
    from ministack.core import responses
    from ministack.services import sqs

    allowed: bool = sqs.queue_policy_allows(
        queue_arn, service, source_arn, responses.get_account_id()
    )
    return allowed


def service_may_invoke(function_arn: str, service: str, source_arn: str) -> bool:
    """Whether a function's policy (AddPermission) lets `service` invoke it for `source_arn`."""
    from ministack import app
    from ministack.core import iam_evaluator, responses
    from ministack.services import lambda_svc

    if not app.AUTH:
        return True
    found = lambda_svc.function_policy_for_arn(function_arn)
    if found is None:
        return False
    asked = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=responses.get_region(),
        service_context={
            "aws:sourcearn": source_arn,
            "aws:sourceaccount": responses.get_account_id(),
        },
    )
    answer = iam_evaluator.evaluate_resource_policy(found[0], asked, service=service)
    return bool(answer.decision == "Allow")


def role_may(
    role_arn: str, action: str, resource_arn: str, keys: Mapping[str, Any] | None = None
) -> bool:
    """Whether a role that an AWS service assumes is allowed `action` on `resource_arn`."""
    from ministack import app
    from ministack.core import iam_evaluator, responses

    if not app.AUTH:
        return True
    account_id = responses.get_account_id()
    role_name = role_arn.rpartition("/")[2]
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/service",
        principal_type="AssumedRole",
        principal_account=account_id,
        action=action,
        resource_arn=resource_arn,
        region=responses.get_region(),
        service_context=dict(keys or {}),
    )
    policies = iam_evaluator._gather_role_policies(role_name, account_id)
    return bool(iam_evaluator.evaluate(asked, policies).decision == "Allow")


def service_may_assume(role_arn: str, service: str) -> bool:
    """Whether a role exists and its trust policy lets `service` (lambda.amazonaws.com) take it."""
    from ministack import app
    from ministack.core import iam_evaluator, responses
    from ministack.services import iam

    if not app.AUTH:
        return True
    role = iam._roles.get(role_arn.rpartition("/")[2])
    if role is None:
        return False
    asked = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=responses.get_region(),
    )
    trust = role["AssumeRolePolicyDocument"]
    statements = json.loads(trust) if isinstance(trust, str) else trust
    # A trust policy names no resource; the evaluator wants one.
    named = [{"Resource": "*", **statement} for statement in listed(statements["Statement"])]
    answer = iam_evaluator.evaluate_resource_policy({"Statement": named}, asked, service=service)
    return bool(answer.decision == "Allow")


def listed(value: Any) -> list[Any]:
    """Policies write a list of one as the one."""
    return value if isinstance(value, list) else [value]
