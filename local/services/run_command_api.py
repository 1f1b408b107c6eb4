"""The API of Run Command: requests in, responses of the SSM model out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.services.pages import page
from local.services.run_command import RunCommand
from local.services.run_command_events import iso_milliseconds
from local.services.run_command_records import (
    NOT_STARTED,
    Command,
    Invocation,
    StepResult,
    status_of,
)
from local.services.ssm_document_store import DocumentStore
from local.services.ssm_errors import SsmError
from local.services.ssm_nodes import ManagedNodes

DEFAULT_DELIVERY_SECONDS = 3600
# Characters, from the SSM model: GetCommandInvocation and CommandPlugin.Output.
MAX_STDOUT, MAX_STDERR, MAX_PLUGIN_OUTPUT = 24_000, 8_000, 2_500
_TRUNCATED = "\n---Output truncated---"


class RunCommandApi:
    """SendCommand, CancelCommand, GetCommandInvocation, ListCommands, ListCommandInvocations.

    Each raises SsmError as the SSM model names its errors.
    """

    def __init__(self, runs: RunCommand, documents: DocumentStore, nodes: ManagedNodes) -> None:
        self._runs = runs
        self._documents = documents
        self._nodes = nodes

    def send(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _, version = self._documents.resolve(
            request["DocumentName"], request.get("DocumentVersion")
        )
        steps = version.document.plan(request.get("Parameters") or {})
        instance_ids = self._nodes.targets(request)
        command = self._runs.send(
            steps,
            instance_ids,
            request,
            document_version=request.get("DocumentVersion") or "$DEFAULT",
            delivery_seconds=request.get("TimeoutSeconds") or DEFAULT_DELIVERY_SECONDS,
            max_concurrency=max(1, _share(request.get("MaxConcurrency") or "50", instance_ids)),
            max_errors=_share(request.get("MaxErrors") or "0", instance_ids),
        )
        with self._runs.lock:
            return {"Command": _command(command)}

    def cancel(self, request: Mapping[str, Any]) -> dict[str, Any]:
        command = self._runs.find(request["CommandId"])
        if command is None:
            raise SsmError("InvalidCommandId", f"No command has the id {request['CommandId']}.")
        instance_ids = request.get("InstanceIds") or []
        unknown = [i for i in instance_ids if i not in command.invocations]
        if unknown:
            raise SsmError(
                "InvalidInstanceId", f"The command was not sent to {', '.join(unknown)}."
            )
        self._runs.cancel(command, instance_ids)
        return {}

    def get_invocation(self, request: Mapping[str, Any]) -> dict[str, Any]:
        command = self._runs.find(request["CommandId"])
        invocation = command.invocations.get(request["InstanceId"]) if command else None
        if command is None or invocation is None or not invocation.propagated:
            raise SsmError(
                "InvocationDoesNotExist",
                f"{request['CommandId']} has no invocation on {request['InstanceId']} (yet).",
            )
        with self._runs.lock:
            return _invocation_result(command, invocation, request.get("PluginName"))

    def list_commands(self, request: Mapping[str, Any]) -> dict[str, Any]:
        filters = _filters(request)
        with self._runs.lock:
            found = [
                _command(c)
                for c in self._runs.commands(request.get("InstanceId"))
                if request.get("CommandId") in (None, c.command_id)
                and _passes(c, c.status, c.details, filters)
            ]
        items, token = page(found, request, default_size=50)
        return {"Commands": items} | ({"NextToken": token} if token else {})

    def list_invocations(self, request: Mapping[str, Any]) -> dict[str, Any]:
        filters = _filters(request)
        with self._runs.lock:
            found = [
                _invocation(c, i, bool(request.get("Details")))
                for c in self._runs.commands(request.get("InstanceId"))
                if request.get("CommandId") in (None, c.command_id)
                for i in c.invocations.values()
                if i.propagated
                and request.get("InstanceId") in (None, i.instance_id)
                and _passes(c, i.status, i.details, filters)
            ]
        items, token = page(found, request, default_size=50)
        return {"CommandInvocations": items} | ({"NextToken": token} if token else {})


def _share(limit: str, instance_ids: Sequence[str]) -> int:
    """MaxConcurrency or MaxErrors: a number, or a percentage of the targets."""
    if limit.endswith("%"):
        return math.ceil(len(instance_ids) * int(limit[:-1]) / 100)
    return int(limit)


def _filters(request: Mapping[str, Any]) -> dict[str, str]:
    return {f["key"]: f["value"] for f in request.get("Filters") or []}


def _passes(command: Command, status: str, details: str, filters: Mapping[str, str]) -> bool:
    return all(_passes_one(command, status, details, k, v) for k, v in filters.items())


def _passes_one(command: Command, status: str, details: str, key: str, value: str) -> bool:
    if key == "Status":
        return value in (status, details)
    if key == "DocumentName":
        return command.document_name == value
    if key in ("InvokedAfter", "InvokedBefore"):
        moment = datetime.fromisoformat(value).timestamp()
        is_after = command.requested_at >= moment
        return is_after if key == "InvokedAfter" else not is_after
    if key == "ExecutionStage":
        is_executing = status in ("Pending", "InProgress", "Delayed", "Cancelling")
        return is_executing == (value == "Executing")
    raise SsmError("InvalidFilterKey", f"The filter key {key} is not valid.")


def _command(command: Command) -> dict[str, Any]:
    request, invocations = command.request, command.invocations.values()
    return {
        "CommandId": command.command_id,
        "DocumentName": command.document_name,
        "DocumentVersion": command.document_version,
        "Comment": command.comment,
        "ExpiresAfter": command.expires_at,
        "Parameters": command.parameters,
        "InstanceIds": list(request.get("InstanceIds") or []),
        "Targets": list(request.get("Targets") or []),
        "RequestedDateTime": command.requested_at,
        "Status": command.status,
        "StatusDetails": command.details,
        "OutputS3Region": request.get("OutputS3Region", ""),
        "OutputS3BucketName": request.get("OutputS3BucketName", ""),
        "OutputS3KeyPrefix": request.get("OutputS3KeyPrefix", ""),
        "MaxConcurrency": request.get("MaxConcurrency", "50"),
        "MaxErrors": request.get("MaxErrors", "0"),
        "TargetCount": len(command.invocations),
        "CompletedCount": sum(i.is_over for i in invocations),
        "ErrorCount": command.error_count,
        "DeliveryTimedOutCount": sum(i.details == "DeliveryTimedOut" for i in invocations),
        "ServiceRole": request.get("ServiceRoleArn", ""),
        "NotificationConfig": request.get("NotificationConfig") or {},
        "CloudWatchOutputConfig": request.get("CloudWatchOutputConfig") or {},
        "TimeoutSeconds": int(command.delivery_seconds),
    }


def _invocation_result(
    command: Command, invocation: Invocation, plugin_name: str | None
) -> dict[str, Any]:
    """GetCommandInvocation. A document of several steps shows none of them unless it is named."""
    result = _named_result(invocation, plugin_name)
    details = invocation.details if result is None else _step_details(invocation, result)
    return {
        "CommandId": command.command_id,
        "InstanceId": invocation.instance_id,
        "Comment": command.comment,
        "DocumentName": command.document_name,
        "DocumentVersion": command.document_version,
        "PluginName": result.step.name if result else "",
        "ResponseCode": result.response_code if result else NOT_STARTED,
        "ExecutionStartDateTime": _iso(result.started_at if result else None),
        "ExecutionElapsedTime": _elapsed(result),
        "ExecutionEndDateTime": _iso(result.finished_at if result else None),
        "Status": status_of(details),
        "StatusDetails": details,
        "StandardOutputContent": result.stdout[:MAX_STDOUT] if result else "",
        "StandardOutputUrl": "",
        "StandardErrorContent": result.stderr[:MAX_STDERR] if result else "",
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": command.request.get("CloudWatchOutputConfig") or {},
    }


def _named_result(invocation: Invocation, plugin_name: str | None) -> StepResult | None:
    if plugin_name is None:
        return invocation.results[0] if len(invocation.results) == 1 else None
    for result in invocation.results:
        if result.step.name == plugin_name:
            return result
    raise SsmError("InvalidPluginName", f"The document has no step {plugin_name}.")


def _step_details(invocation: Invocation, result: StepResult) -> str:
    """A step that is not over shares the fate of its invocation."""
    is_over = result.finished_at is not None
    return result.details if is_over and len(invocation.results) > 1 else invocation.details


def _invocation(command: Command, invocation: Invocation, with_plugins: bool) -> dict[str, Any]:
    return {
        "CommandId": command.command_id,
        "InstanceId": invocation.instance_id,
        "InstanceName": "",
        "Comment": command.comment,
        "DocumentName": command.document_name,
        "DocumentVersion": command.document_version,
        "RequestedDateTime": command.requested_at,
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [
            _plugin(invocation, r) for r in (invocation.results if with_plugins else [])
        ],
        "ServiceRole": command.request.get("ServiceRoleArn", ""),
        "NotificationConfig": command.request.get("NotificationConfig") or {},
        "CloudWatchOutputConfig": command.request.get("CloudWatchOutputConfig") or {},
    }


def _plugin(invocation: Invocation, result: StepResult) -> dict[str, Any]:
    details = _step_details(invocation, result)
    times = {
        "ResponseStartDateTime": result.started_at,
        "ResponseFinishDateTime": result.finished_at,
    }
    return {
        "Name": result.step.name,
        "Status": status_of(details),
        "StatusDetails": details,
        "ResponseCode": result.response_code,
        "Output": _plugin_output(result),
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "OutputS3Region": "",
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
    } | {name: moment for name, moment in times.items() if moment is not None}


def _plugin_output(result: StepResult) -> str:
    error = f"\n----------ERROR-------\n{result.stderr}" if result.stderr else ""
    output = result.stdout + error
    if len(output) <= MAX_PLUGIN_OUTPUT:
        return output
    return output[: MAX_PLUGIN_OUTPUT - len(_TRUNCATED)] + _TRUNCATED


def _iso(epoch_seconds: float | None) -> str:
    return "" if epoch_seconds is None else iso_milliseconds(epoch_seconds)


def _elapsed(result: StepResult | None) -> str:
    if result is None or result.started_at is None or result.finished_at is None:
        return ""
    return f"PT{result.finished_at - result.started_at:.3f}S"
