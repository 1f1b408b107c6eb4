"""Which IAM action, resources and condition keys a request is authorised by.

Facts are from the AWS Service Authorization Reference, page by service. Only what differs from the
emulator's own mapping is here; for every other request `resources_of` answers None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

ANY = "*"  # the resource of an action which cannot be limited to one


class Lookup(Protocol):
    """What authorisation must know about the account."""

    def group_arn(self, name: str) -> str:
        """The ARN of an Auto Scaling group, with `*` in place of its id when there is none."""

    def group_of_instance(self, instance_id: str) -> str:
        """Name of the instance's Auto Scaling group; empty when it has none."""

    def tags(self, arn: str) -> Mapping[str, str]:
        """Tags of an instance, Auto Scaling group or SSM document; none when it is unknown."""


@dataclass(frozen=True)
class Request:
    """A request with its parameters by name: those of a JSON body, or of the query protocol."""

    action: str  # e.g. ssm:SendCommand
    parameters: Mapping[str, Any]
    path: str
    region: str
    account_id: str

    def text(self, name: str) -> str:
        value = self.parameters.get(name, "")
        return value if isinstance(value, str) else ""

    def listed(self, name: str) -> list[str]:
        """A list of strings: `name` in JSON, `name.1`, `name.member.1` in the query protocol."""
        value = self.parameters.get(name)
        if isinstance(value, list):
            return [item for item in value if isinstance(item, str)]
        numbered = re.compile(rf"{re.escape(name)}(\.member)?\.\d+$")
        return [str(self.parameters[key]) for key in self.parameters if numbered.match(key)]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"


def lambda_layer_action(method: str, path: str, parameters: Mapping[str, Any]) -> str | None:
    """The action of a request about layers; None when `path` is about something else."""
    parts = [part for part in path.split("/") if part][1:]
    if parts[:1] != ["layers"]:
        return None
    if len(parts) == 1:
        by_arn = parameters.get("find") == "LayerVersion"
        return "lambda:GetLayerVersion" if by_arn else "lambda:ListLayers"
    if len(parts) == 3:  # layers/NAME/versions
        return "lambda:PublishLayerVersion" if method == "POST" else "lambda:ListLayerVersions"
    if len(parts) == 4:  # layers/NAME/versions/NUMBER
        return "lambda:DeleteLayerVersion" if method == "DELETE" else "lambda:GetLayerVersion"
    return None


def resources_of(request: Request, lookup: Lookup) -> Sequence[str] | None:
    """Every ARN which must be allowed, `*` where an action knows no resource; None: not ours."""
    if request.action.startswith("autoscaling:"):
        return _auto_scaling(request, lookup)
    find = BY_ACTION.get(request.action)
    return find(request) if find else None


def context_of(request: Request, resource: str, lookup: Lookup) -> dict[str, Any]:
    """Condition keys for one resource: tags under each name that AWS gives them, and namespaces."""
    service = request.action.partition(":")[0]
    context = {
        f"{prefix}{key}": value
        for key, value in lookup.tags(resource).items()
        for prefix in TAG_KEYS.get(service, ())
    }
    if request.action == "cloudwatch:PutMetricData":
        context["cloudwatch:namespace"] = request.text("Namespace")
    return context


TAGGED_GROUP = re.compile(r"Tags\.member\.\d+\.ResourceId")
TAG_KEYS = {
    "autoscaling": ("aws:ResourceTag/", "autoscaling:ResourceTag/"),
    "ec2": ("aws:ResourceTag/", "ec2:ResourceTag/"),
    "ssm": ("aws:ResourceTag/", "ssm:resourceTag/"),
}


def _send_command(request: Request) -> list[str]:
    """The document and every instance; by tags, whatever is managed in the account."""
    targets = request.parameters.get("Targets") or []
    instances = list(request.listed("InstanceIds"))
    for target in targets:
        if target.get("Key") == "InstanceIds":
            instances += target.get("Values", [])
    resources = [_document_arn(request, request.text("DocumentName"))]
    resources += [
        request.arn("ssm", f"managed-instance/{name}")
        if name.startswith("mi-")
        else request.arn("ec2", f"instance/{name}")
        for name in instances
    ]
    if targets and not instances:
        resources.append(request.arn("ssm", ANY))
    return resources


def _document_arn(request: Request, name: str) -> str:
    if name.startswith("arn:"):
        return name
    owner = "" if name.startswith(("AWS-", "Amazon")) else request.account_id
    return f"arn:aws:ssm:{request.region}:{owner}:document/{name}"


def _document(request: Request) -> list[str]:
    return [_document_arn(request, request.text("Name"))]


def _parameters(request: Request) -> list[str]:
    names = request.listed("Names") or [request.text("Name") or request.text("Path")]
    return [
        name if name.startswith("arn:") else request.arn("ssm", f"parameter/{name.lstrip('/')}")
        for name in names
    ]


def _ssm_account(request: Request) -> list[str]:
    return [request.arn("ssm", ANY)]


def _auto_scaling(request: Request, lookup: Lookup) -> list[str]:
    """Describe* cannot be limited; everything else is about a group, or about a member of it."""
    if request.action.removeprefix("autoscaling:").startswith("Describe"):
        return [ANY]
    tagged = {
        str(value) for key, value in request.parameters.items() if TAGGED_GROUP.fullmatch(key)
    }
    if tagged:
        return [lookup.group_arn(name) for name in sorted(tagged)]
    name = request.text("AutoScalingGroupName")
    if not name and (instance_id := request.text("InstanceId")):
        name = lookup.group_of_instance(instance_id)
    return [lookup.group_arn(name)]


def _ec2_by_id(request: Request) -> list[str]:
    ids = request.listed("ResourceId") or request.listed("InstanceId")
    return [request.arn("ec2", f"{_ec2_type(one)}/{one}") for one in ids] or [ANY]


def _ec2_type(resource_id: str) -> str:
    return {
        "eni": "network-interface",
        "i": "instance",
        "lt": "launch-template",
        "sg": "security-group",
        "subnet": "subnet",
        "vol": "volume",
        "vpc": "vpc",
    }.get(resource_id.partition("-")[0], ANY)


def _layer_version(request: Request) -> list[str]:
    if arn := unquote(request.text("Arn")):
        return [arn]
    parts = [part for part in unquote(request.path).split("/") if part]
    return [request.arn("lambda", f"layer:{parts[2]}:{parts[4]}")]


def _layer(request: Request) -> list[str]:
    return [request.arn("lambda", f"layer:{unquote(request.path).split('/')[3]}")]


def _any(_request: Request) -> list[str]:
    return [ANY]


def _log_stream(request: Request) -> list[str] | None:
    """CloudWatch Logs spells a group as an empty stream of it, so that `GROUP:*` matches."""
    group = request.text("logGroupName")
    if not group:
        return None
    return [request.arn("logs", f"log-group:{group}:log-stream:{request.text('logStreamName')}")]


Finder = Callable[[Request], "list[str] | None"]
BY_ACTION: dict[str, Finder] = {
    "cloudwatch:PutMetricData": _any,
    "ec2:CreateTags": _ec2_by_id,
    "ec2:DeleteTags": _ec2_by_id,
    "ec2:RebootInstances": _ec2_by_id,
    "ec2:StartInstances": _ec2_by_id,
    "ec2:StopInstances": _ec2_by_id,
    "ec2:TerminateInstances": _ec2_by_id,
    "lambda:DeleteLayerVersion": _layer_version,
    "lambda:GetLayerVersion": _layer_version,
    "lambda:ListLayers": _any,
    "lambda:PublishLayerVersion": _layer,
    "logs:CreateLogGroup": _log_stream,
    "logs:CreateLogStream": _log_stream,
    "logs:DescribeLogStreams": _log_stream,
    "logs:FilterLogEvents": _log_stream,
    "logs:GetLogEvents": _log_stream,
    "logs:PutLogEvents": _log_stream,
    "ssm:CreateDocument": _document,
    "ssm:DeleteDocument": _document,
    "ssm:DescribeDocument": _document,
    "ssm:DescribeInstanceInformation": _ssm_account,
    "ssm:GetCommandInvocation": _ssm_account,
    "ssm:GetDocument": _document,
    "ssm:GetParameter": _parameters,
    "ssm:GetParameters": _parameters,
    "ssm:GetParametersByPath": _parameters,
    "ssm:ListCommandInvocations": _ssm_account,
    "ssm:ListCommands": _ssm_account,
    "ssm:SendCommand": _send_command,
    "ssm:UpdateDocument": _document,
}


STATEMENT = re.compile(
    r'\s*(?P<verb>\w+)(?:\s+INTO|\s+FROM)?\s+"?(?P<table>[\w.-]+)', re.IGNORECASE
)


def partiql_action(parameters: Mapping[str, Any]) -> str:
    """Of the first statement of a batch (DynamoDB guide, "IAM security policies with PartiQL")."""
    verbs = [match["verb"].capitalize() for match in _statements(parameters)]
    return f"dynamodb:PartiQL{verbs[0] if verbs else 'Select'}"


def _statements(parameters: Mapping[str, Any]) -> list[re.Match[str]]:
    texts = [str(it.get("Statement", "")) for it in parameters.get("Statements", [])]
    return [match for text in texts if (match := STATEMENT.match(text))]


def _partiql_tables(request: Request) -> list[str]:
    tables = {match["table"] for match in _statements(request.parameters)}
    return [request.arn("dynamodb", f"table/{table}") for table in sorted(tables)]


BY_ACTION |= {
    "dynamodb:PartiQLInsert": _partiql_tables,
    "dynamodb:PartiQLUpdate": _partiql_tables,
}


# A batch is allowed by what allows its entries (SQS guide, "Amazon SQS API permissions").
ALLOWED_BY = {
    f"sqs:{entry}Batch": f"sqs:{entry}"
    for entry in ("ChangeMessageVisibility", "DeleteMessage", "SendMessage")
}


def denial(action: str, principal: str, resource: str, explicit: bool) -> str:
    """AWS's words for a denied call; `*` is not named there."""
    service, _, operation = action.partition(":")
    said = {"sqs": f"sqs:{operation.lower()}", "sns": f"SNS:{operation}"}.get(service, action)
    on = "" if resource == ANY else f" on resource: {resource}"
    why = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {said} action"
    )
    text = f"User: {principal} is not authorized to perform: {said}{on} {why}"
    return f"You are not authorized to perform this operation. {text}" if service == "ec2" else text
