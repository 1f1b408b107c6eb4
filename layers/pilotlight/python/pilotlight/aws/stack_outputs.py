"""Where a deployed stack takes jobs and keeps what became of them: its outputs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pilotlight.errors import PilotlightError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

OUTPUTS = ("JobsQueueUrl", "JobsTableName", "JobsBucketName")


class StackError(PilotlightError):
    """There is no such stack, or it is not one of ours."""


@dataclass(frozen=True)
class JobsPlace:
    queue_url: str
    table_name: str
    bucket_name: str


def jobs_place(client: "CloudFormationClient", stack: str) -> JobsPlace:
    """Raises StackError naming the stack and the remedy."""
    try:
        described = client.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise StackError(
            f"there is no stack {stack!r} in {client.meta.region_name}: deploy it, "
            "or name yours; AWS_PROFILE and AWS_DEFAULT_REGION say where to look"
        ) from error
    outputs = {it["OutputKey"]: it["OutputValue"] for it in described.get("Outputs", [])}
    missing = [name for name in OUTPUTS if name not in outputs]
    if missing:
        raise StackError(
            f"stack {stack!r} ({described['StackStatus']}) has no output {missing[0]}: "
            "deploy this version of the template, or name another stack"
        )
    return JobsPlace(*(outputs[name] for name in OUTPUTS))
