"""EventBridge events of Run Command (user guide, "Monitoring Systems Manager events")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local.services.run_command_records import Command, Invocation

SOURCE = "aws.ssm"
_Event = tuple[str, str, Mapping[str, Any], Sequence[str]]


def command_event(command: Command, instance_arns: Sequence[str]) -> _Event:
    """Source, detail type, detail and resources of a command's change of status."""
    detail = {
        "command-id": command.command_id,
        "document-name": command.document_name,
        "expire-after": iso_milliseconds(command.expires_at),
        "parameters": command.parameters,
        "requested-date-time": iso_milliseconds(command.requested_at),
        "status": command.status,
    }
    return SOURCE, "EC2 Command Status-change Notification", detail, instance_arns


def invocation_event(command: Command, invocation: Invocation, instance_arn: str) -> _Event:
    """The same for one instance's part of a command."""
    detail = {
        "command-id": command.command_id,
        "document-name": command.document_name,
        "instance-id": invocation.instance_id,
        "requested-date-time": iso_milliseconds(command.requested_at),
        "status": invocation.status,
    }
    return SOURCE, "EC2 Command Invocation Status-change Notification", detail, [instance_arn]


def iso_milliseconds(epoch_seconds: float) -> str:
    """2016-07-10T21:51:30.049Z"""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
