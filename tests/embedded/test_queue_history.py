"""Past arrivals, as the functions read them with their own role's rights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from local.cloud import EmbeddedCloud
from pilotlight.aws.cloudwatch import JobsQueueMetrics

STATEMENT = {"Effect": "Allow", "Action": "cloudwatch:GetMetricData", "Resource": "*"}
ROOT = {"AWS": "arn:aws:iam::000000000000:root"}
TRUST = {"Effect": "Allow", "Principal": ROOT, "Action": "sts:AssumeRole"}


def test_jobs_that_were_sent_are_read_with_the_one_right_for_it(
    cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    sqs, iam, role = cloud.client("sqs"), cloud.client("iam"), unique("role")
    url = sqs.create_queue(QueueName=unique("jobs"))["QueueUrl"]
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(STATEMENT))
    answer = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    cloudwatch = cloud.client("cloudwatch", dict(answer["Credentials"]))
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="{}")

    deadline = time.monotonic() + 30
    sent = 0
    while sent != 3 and time.monotonic() < deadline:
        # A minute ahead, for a whole minute of the clock to be over.
        history = JobsQueueMetrics(cloudwatch, url, lambda: time.time() + 60).history()
        sent = sum(history.per_minute) if history else 0

    assert sent == 3


def policy(statement: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
