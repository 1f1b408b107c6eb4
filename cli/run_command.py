"""SSM Run Command on one instance, with its answer waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from cli.errors import CommandError
from cli.stack import Cloud
from cli.waiting import wait_until

UNFINISHED = ("Pending", "InProgress", "Delayed", "Cancelling")
SHELL_SCRIPT = "AWS-RunShellScript"


def run_on_instance(
    cloud: Cloud,
    instance_id: str,
    document: str,
    parameters: Mapping[str, Sequence[str]],
    limit_seconds: float,
) -> str:
    """What the document's script printed.

    Raises CommandError, with what it said, when it failed or did not end within the limit.
    """
    ssm = cloud.client("ssm")
    command_id = ssm.send_command(
        InstanceIds=[instance_id], DocumentName=document, Parameters=parameters
    )["Command"]["CommandId"]
    wait_until(
        lambda: _invocation(ssm, command_id, instance_id)["Status"] not in UNFINISHED,
        limit_seconds,
        f"the end of command {command_id} ({document}) on {instance_id}",
    )
    answer = _invocation(ssm, command_id, instance_id)
    if answer["Status"] != "Success":
        raise CommandError(
            f"{document} on {instance_id} ended with {answer['StatusDetails']}.",
            details=answer["StandardErrorContent"],
        )
    return answer["StandardOutputContent"].strip()


def _invocation(ssm: Any, command_id: str, instance_id: str) -> dict[str, str]:
    """GetCommandInvocation; Pending while SSM does not show it yet, moments after the command."""
    try:
        return dict(ssm.get_command_invocation(CommandId=command_id, InstanceId=instance_id))
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvocationDoesNotExist":
            raise
        return {"Status": "Pending"}
