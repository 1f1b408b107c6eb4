"""How AWS's silence is named."""

import boto3
import pytest
from botocore.config import Config

from pilotlight.aws.sqs import JobsQueue
from pilotlight.errors import TransientError


def test_a_service_that_cannot_be_reached_is_transient() -> None:
    nobody = "http://127.0.0.1:9"
    client = boto3.client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=nobody,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )

    with pytest.raises(TransientError, match="9"):
        JobsQueue(client, f"{nobody}/123456789012/jobs").depth()
