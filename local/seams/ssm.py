"""Systems Manager: documents, Run Command and managed nodes, on the agents of our instances.

ministack 1.5.33 has no documents, runs AWS-RunShellScript in Docker only, and calls any other
document a success. Parameter Store stays ministack's own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import botocore.loaders
from botocore.model import ServiceModel

from local.context import CloudContext
from local.seams.clocks import started_clock
from local.seams.cloudformation_ssm import provision_documents
from local.seams.eventbridge import emit
from local.seams.permissions import in_account
from local.services.constraints import refusal
from local.services.run_command import Delays, RunCommand
from local.services.run_command_api import RunCommandApi
from local.services.ssm_document_store import DocumentStore
from local.services.ssm_errors import SsmError
from local.services.ssm_nodes import ManagedNodes, Node

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]


def install(context: CloudContext) -> None:
    """Answer Run Command and documents ourselves; give CloudFormation AWS::SSM::Document."""
    documents = DocumentStore(context.account_id, time.time)
    nodes = ManagedNodes(Ec2Instances(context), context.instances, context.account_id)
    runs = _run_command(context)
    answer_operations(_operations(documents, nodes, RunCommandApi(runs, documents, nodes)))
    provision_documents(documents)


def _run_command(context: CloudContext) -> RunCommand:
    from ministack.core.concurrency import spawn_background

    def instance_arn(instance_id: str) -> str:
        return f"arn:aws:ec2:{context.region}:{context.account_id}:instance/{instance_id}"

    standard = Delays()
    return RunCommand(
        agents=context.instances,
        schedule=started_clock(context, "run-command"),
        start_thread=lambda work: spawn_background(work, thread_name="ssm-invocation"),
        emit=emit,
        output_log=LogsOutput(context),
        instance_arn=instance_arn,
        delays=Delays(
            standard.propagation_seconds / context.speed,
            standard.redelivery_seconds / context.speed,
        ),
    )


def _operations(
    documents: DocumentStore, nodes: ManagedNodes, runs: RunCommandApi
) -> dict[str, Handler]:
    return {
        "CreateDocument": documents.create,
        "UpdateDocument": documents.update,
        "UpdateDocumentDefaultVersion": documents.update_default_version,
        "DescribeDocument": documents.describe,
        "GetDocument": documents.get,
        "ListDocuments": documents.list,
        "ListDocumentVersions": documents.list_versions,
        "DeleteDocument": documents.delete,
        "SendCommand": runs.send,
        "CancelCommand": runs.cancel,
        "GetCommandInvocation": runs.get_invocation,
        "ListCommands": runs.list_commands,
        "ListCommandInvocations": runs.list_invocations,
        "DescribeInstanceInformation": nodes.describe,
    }


def answer_operations(operations: Mapping[str, Handler]) -> None:
    """Stock: ssm.handle_request picks a handler from a dict inside of it, out of reach; so ours
    stands before it and leaves to it what is not ours."""
    from ministack.services import ssm

    stock = ssm.handle_request
    model = ServiceModel(botocore.loaders.Loader().load_service_model("ssm", "service-2"))

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
    ) -> Any:
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        operation = operations.get(name)
        if operation is None:
            return await stock(method, path, headers, body, query)
        return _respond(operation, model.operation_model(name).input_shape, body)

    ssm.handle_request = handle_request


def _respond(operation: Handler, shape: Any, body: bytes) -> Any:
    from ministack.core.responses import error_response_json, json_response

    request = json.loads(body or b"{}")
    invalid = refusal(shape, request)
    if invalid:
        return error_response_json("ValidationException", invalid, 400)
    try:
        return json_response(operation(request))
    except SsmError as error:
        return error_response_json(error.code, error.message, 400)


class Ec2Instances:
    """EC2's records as nodes."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context

    def node(self, instance_id: str) -> Node | None:
        from ministack.services import ec2

        record = in_account(self._context, ec2._instances.get, instance_id)
        return self._node(record) if record else None

    def nodes(self) -> Iterable[Node]:
        from ministack.services import ec2

        return [self._node(r) for r in in_account(self._context, ec2._instances.values)]

    def _node(self, record: Mapping[str, Any]) -> Node:
        from ministack.services import ec2

        tags = in_account(self._context, ec2._tags.get, record["InstanceId"]) or []
        return Node(
            instance_id=record["InstanceId"],
            state=record["State"]["Name"],
            private_ip=record.get("PrivateIpAddress", ""),
            host_name=record.get("PrivateDnsName", ""),
            tags={tag["Key"]: tag["Value"] for tag in tags},
        )


class LogsOutput:
    """CloudWatch Logs as the place where the agent writes output."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context

    def write(self, group: str, stream: str, text: str) -> None:
        """Write the lines of `text`; makes group and stream when they are not there."""
        in_account(self._context, self._write, group, stream, text)

    def _write(self, group: str, stream: str, text: str) -> None:
        from ministack.services import cloudwatch_logs

        place = {"logGroupName": group, "logStreamName": stream}
        cloudwatch_logs._create_log_group({"logGroupName": group})
        cloudwatch_logs._create_log_stream(place)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in text.splitlines() if line]
        cloudwatch_logs._put_log_events(place | {"logEvents": events})
