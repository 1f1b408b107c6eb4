"""CloudWatch Logs: saved queries, and a function's lines as Lambda writes them."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from local.context import CloudContext
from local.seams.permissions import in_account, role_may

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]
_query_definitions: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}


def install(_context: CloudContext) -> None:
    """Answer what stock does not know."""
    answer_query_definitions()
    tell_events_apart()


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


def tell_events_apart() -> None:
    """Stock leaves out `eventId` of FilterLogEvents (API reference, FilteredLogEvent)."""
    from ministack.core import responses
    from ministack.services import cloudwatch_logs

    stock = cloudwatch_logs._filter_log_events

    def filter_log_events(asked: dict[str, Any]) -> Any:
        """Stock reads all streams when there is none of the prefix, or no notion of one."""
        if "logStreamNamePrefix" in asked and not (names := streams_of_prefix(asked)):
            return responses.json_response({"events": [], "searchedLogStreams": []})
        if "logStreamNamePrefix" in asked:
            asked = {**asked, "logStreamNames": names}
        status, headers, body = stock(asked)
        if status != HTTPStatus.OK:
            return status, headers, body
        answer = json.loads(body)
        return responses.json_response({**answer, "events": with_ids(answer["events"])})

    cloudwatch_logs._filter_log_events = filter_log_events


def streams_of_prefix(asked: Mapping[str, Any]) -> list[str]:
    """Names of the group's streams that begin as FilterLogEvents was asked for."""
    from ministack.services import cloudwatch_logs

    group = cloudwatch_logs._log_groups.get(asked.get("logGroupName", ""), {})
    prefix = asked["logStreamNamePrefix"]
    return [name for name in group.get("streams", {}) if name.startswith(prefix)]


def with_ids(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Events with an id each that is the same at every call; equal lines are counted."""
    seen: Counter[str] = Counter()
    identified = []
    for event in events:
        said = f"{event['logStreamName']}\0{event['timestamp']}\0{event['message']}"
        digest = hashlib.sha256(f"{said}\0{seen[said]}".encode()).hexdigest()
        seen[said] += 1
        identified.append({**event, "eventId": f"{int(digest, 16) % 10**56:056}"})
    return identified


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


class FunctionLog:
    """The log stream of one execution environment.

    Lines are written with the function's role: without logs:CreateLogStream and logs:PutLogEvents
    they are lost, as on AWS. The group is made when it is missing, if the role may do that.
    """

    def __init__(self, context: CloudContext, config: Mapping[str, Any]) -> None:
        self._context = context
        self._role_arn = config["Role"]
        chosen = (config.get("LoggingConfig") or {}).get("LogGroup")
        self.group = chosen or f"/aws/lambda/{config['FunctionName']}"
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        self.stream = f"{day}/[{config.get('Version', '$LATEST')}]{uuid.uuid4().hex}"

    def write(self, lines: Iterable[str]) -> None:
        """Append lines, all of this moment."""
        now_ms = int(time.time() * 1000)
        events = [{"timestamp": now_ms, "message": line} for line in lines if line]
        if events:
            in_account(self._context, self._put, events)

    def _put(self, events: list[dict[str, Any]]) -> None:
        from ministack.services import cloudwatch_logs

        if not self._may_write():
            return
        name = {"logGroupName": self.group, "logStreamName": self.stream}
        if self.group not in cloudwatch_logs._log_groups:
            cloudwatch_logs._create_log_group({"logGroupName": self.group})
        if self.stream not in cloudwatch_logs._log_groups[self.group]["streams"]:
            cloudwatch_logs._create_log_stream(name)
        cloudwatch_logs._put_log_events({**name, "logEvents": events})

    def _may_write(self) -> bool:
        from ministack.services import cloudwatch_logs

        arn = (
            f"arn:aws:logs:{self._context.region}:{self._context.account_id}"
            f":log-group:{self.group}:log-stream:{self.stream}"
        )
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        if self.group not in cloudwatch_logs._log_groups:
            actions.append("logs:CreateLogGroup")
        return all(role_may(self._role_arn, action, arn) for action in actions)
