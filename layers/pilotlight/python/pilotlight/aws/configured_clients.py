"""boto3 as the SDK's own settings have it (AWS_PROFILE, AWS_ENDPOINT_URL and so on)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# Standard mode retries what is throttled or fails in between, after growing, random pauses.
RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 5})


@dataclass(frozen=True)
class JobsClients:
    """What it takes to send jobs and to read what became of them."""

    cloudformation: "CloudFormationClient"
    sqs: "SQSClient"
    dynamodb: "DynamoDBClient"
    s3: "S3Client"


def configured_clients(limits: Config = RETRIES) -> JobsClients:
    session = boto3.session.Session()
    return JobsClients(
        cloudformation=session.client("cloudformation", config=limits),
        sqs=session.client("sqs", config=limits),
        dynamodb=session.client("dynamodb", config=limits),
        s3=session.client("s3", config=limits),
    )
