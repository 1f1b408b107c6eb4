"""SSM Run Command."""

from datetime import datetime
from typing import TYPE_CHECKING

from pilotlight.aws.calls import named_errors
from pilotlight.fleet.command_result import Invocation
from pilotlight.fleet.commands import DELIVERY_TIMEOUT_SECONDS, Command
from pilotlight.fleet.wait_decisions import SentCommand

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class RunCommand:
    """Implements the ports of fleet that concern commands."""

    def __init__(self, client: "SSMClient") -> None:
        self._client = client

    def send(self, command: Command) -> str:
        with named_errors():
            answer = self._client.send_command(
                DocumentName=command.document,
                InstanceIds=list(command.instance_ids),
                Comment=command.comment,
                Parameters=command.parameters,
                TimeoutSeconds=DELIVERY_TIMEOUT_SECONDS,
                MaxErrors="100%",  # one that fails keeps no other from being asked
            )
        return answer["Command"]["CommandId"]

    def invocation(self, command_id: str, instance_id: str) -> Invocation:
        with named_errors():
            answer = self._client.get_command_invocation(
                CommandId=command_id, InstanceId=instance_id
            )
        return Invocation(
            status=answer["Status"],
            # Documented as `Execution Timed Out`, sent as `ExecutionTimedOut`.
            status_details=answer["StatusDetails"].replace(" ", ""),
            comment=answer.get("Comment", ""),
            output=answer.get("StandardOutputContent", ""),
            error_output=answer.get("StandardErrorContent", ""),
            ended_at=_time(answer.get("ExecutionEndDateTime", "")),
        )

    def sent_to(self, instance_id: str) -> list[SentCommand]:
        """The newest page."""
        with named_errors():
            answer = self._client.list_command_invocations(InstanceId=instance_id, MaxResults=50)
        return [
            SentCommand(
                command_id=it["CommandId"],
                document=it["DocumentName"],
                status=it["Status"],
                requested_at=it["RequestedDateTime"],
            )
            for it in answer["CommandInvocations"]
        ]


def _time(text: str) -> datetime | None:
    """GetCommandInvocation gives times as ISO 8601 texts, empty for what never happened."""
    return datetime.fromisoformat(text) if text else None
