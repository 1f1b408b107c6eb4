"""IAM: requests are checked against the resources that AWS checks, and denied in AWS's words."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from local.context import CloudContext
from local.services.authorization import (
    ALLOWED_BY,
    Request,
    context_of,
    denial,
    lambda_layer_action,
    partiql_action,
    resources_of,
)

_request: contextvars.ContextVar[Request | None] = contextvars.ContextVar("request", default=None)
_denied: contextvars.ContextVar[str] = contextvars.ContextVar("denied", default="")


def install(_context: CloudContext) -> None:
    """Patch what the dispatcher asks for each request under AUTH=true."""
    trust_transport()
    name_actions()
    find_resources()
    check_every_resource()
    name_denied_resource()


def trust_transport() -> None:
    """Stock sees plain HTTP, so that `aws:SecureTransport: false` denies would hit every call.

    This endpoint stands in for AWS's HTTPS endpoints: policies are tried as they would be there.
    """
    from ministack import app

    stock = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: stock(source_ip, True)


def name_actions() -> None:
    """Stock takes GetLayerVersion for ListLayers, and batches for actions of their own."""
    from ministack.core import iam_actions

    stock = iam_actions.extract_iam_action

    def extract_iam_action(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
    ) -> str | None:
        if service == "lambda":
            action = lambda_layer_action(method, path, first_values(query_params))
            if action:
                return action
        action = stock(service, method, path, headers, body, query_params)
        if action == "dynamodb:BatchExecuteStatement":
            return partiql_action(read_body(body, query_params))
        return ALLOWED_BY.get(action, str(action)) if action else None

    iam_actions.extract_iam_action = extract_iam_action


def find_resources() -> None:
    """Stock checks SendCommand, log streams, layer versions and more against a wrong ARN or `*`."""
    from ministack.core import iam_actions

    stock = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        action = iam_actions.extract_iam_action(service, method, path, headers, body, query_params)
        request = Request(action or "", read_body(body, query_params), path, region, account_id)
        resources = resources_of(request, AccountLookup(region, account_id))
        _request.set(request if resources else None)
        _denied.set("")
        if resources:
            return resources[0]
        return str(stock(service, method, path, headers, body, query_params, region, account_id))

    iam_actions.extract_resource_arn = extract_resource_arn


def check_every_resource() -> None:
    """Stock checks one resource per request; AWS checks each instance, document and so on."""
    from ministack.core import iam_evaluator

    stock = iam_evaluator.enforce

    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        request = _request.get()
        if request is None or request.action != iam_action:
            return stock(access_key_id, iam_action, service, region, resource_arn, service_context)
        lookup = AccountLookup(request.region, request.account_id)
        for resource in resources_of(request, lookup) or ():
            keys = {**(service_context or {}), **context_of(request, resource, lookup)}
            refused = stock(access_key_id, iam_action, service, region, resource, keys)
            if refused:
                _denied.set(resource)
                return refused
        return None

    iam_evaluator.enforce = enforce


def name_denied_resource() -> None:
    """Stock leaves the resource out of most denials; AWS names it."""
    from ministack.core import iam_actions

    stock = iam_actions.access_denied_response

    def access_denied_response(
        service: str, action: str, principal_arn: str, request_id: str, **details: Any
    ) -> tuple[int, dict[str, str], bytes]:
        if _denied.get():
            details["resource_arn"] = _denied.get()
        if not (details.get("message") or details.get("error_code")) and not details.get(
            "resource_policy_arn"
        ):
            details["message"] = denial(
                action,
                principal_arn,
                details.get("resource_arn", "*"),
                bool(details.get("explicit_deny")),
            )
        answer: tuple[int, dict[str, str], bytes] = stock(
            service, action, principal_arn, request_id, **details
        )
        return answer

    iam_actions.access_denied_response = access_denied_response


def first_values(query_params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value[0] if isinstance(value, list) and value else value
        for name, value in query_params.items()
    }


def read_body(body: bytes, query_params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a JSON body over those of the query; what is no JSON object adds none."""
    try:
        parsed = json.loads(body) if body[:1] == b"{" else {}
    except ValueError:
        parsed = {}
    return {**first_values(query_params), **parsed}


class AccountLookup:
    """What an account holds, read from ministack's own services."""

    def __init__(self, region: str, account_id: str) -> None:
        self._prefix = f"arn:aws:autoscaling:{region}:{account_id}:autoScalingGroup"

    def group_arn(self, name: str) -> str:
        group = self._group(name)
        found = group.findtext("{*}AutoScalingGroupARN") if group is not None else None
        return found or f"{self._prefix}:*:autoScalingGroupName/{name}"

    def group_of_instance(self, instance_id: str) -> str:
        return self.tags(f"instance/{instance_id}").get("aws:autoscaling:groupName", "")

    def tags(self, arn: str) -> Mapping[str, str]:
        from ministack.services import ec2

        if "autoScalingGroupName/" in arn:
            group = self._group(arn.rpartition("/")[2])
            members = group.findall("{*}Tags/{*}member") if group is not None else []
            return {m.findtext("{*}Key", ""): m.findtext("{*}Value", "") for m in members}
        if "instance/" in arn or ":ec2:" in arn:
            stored = ec2._tags.get(arn.rpartition("/")[2]) or []
            return {tag["Key"]: tag["Value"] for tag in stored}
        return {}

    def _group(self, name: str) -> ElementTree.Element | None:
        from ministack.services import autoscaling

        if not name:
            return None
        describe = autoscaling._ACTION_MAP["DescribeAutoScalingGroups"]
        _, _, body = describe({"AutoScalingGroupNames.member.1": [name]})
        return ElementTree.fromstring(body).find(".//{*}AutoScalingGroups/{*}member")  # noqa: S314
