"""CloudWatch Logs: saved queries, and a function's lines as Lambda writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.context import CloudContext

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]
_query_definitions: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}


def install(context: CloudContext) -> None:  # noqa: ARG001 - every seam is installed alike
    """Answer what stock does not know."""
    answer_query_definitions()


def answer_query_definitions() -> None:
    """Stock answers InvalidOperationException for saved Logs Insights queries."""
    from ministack.core import responses
    from ministack.services import cloudwatch_logs

    stock = cloudwatch_logs.handle_request
    operations: dict[str, Handler] = {
        "PutQueryDefinition": lambda asked: {"queryDefinitionId": put_query_definition(asked)},
        "DescribeQueryDefinitions": describe_query_definitions,
        "DeleteQueryDefinition": lambda asked: {
            "success": delete_query_definition(asked["queryDefinitionId"])
        },
    }

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
    ) -> Any:
        operation = operations.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if operation is None:
            return await stock(method, path, headers, body, query)
        return responses.json_response(operation(json.loads(body or b"{}")))

    cloudwatch_logs.handle_request = handle_request


def put_query_definition(definition: Mapping[str, Any]) -> str:
    """Save a query given by its API names or CloudFormation's; returns its id."""
    from ministack.core import responses

    given = {name[0].lower() + name[1:]: value for name, value in definition.items()}
    query_id = given.get("queryDefinitionId") or responses.new_uuid()
    _account_definitions()[query_id] = {**given, "queryDefinitionId": query_id}
    return str(query_id)


def describe_query_definitions(asked: Mapping[str, Any]) -> dict[str, Any]:
    prefix = asked.get("queryDefinitionNamePrefix", "")
    found = [one for one in _account_definitions().values() if one["name"].startswith(prefix)]
    return {"queryDefinitions": found}


def delete_query_definition(query_id: str) -> bool:
    """Whether there was such a saved query."""
    return _account_definitions().pop(query_id, None) is not None


def _account_definitions() -> dict[str, dict[str, Any]]:
    from ministack.core import responses

    scope = (responses.get_account_id(), responses.get_region())
    return _query_definitions.setdefault(scope, {})
