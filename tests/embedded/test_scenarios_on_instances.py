"""What a warm-pool scenario looks like from inside the instance."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud
from tests.embedded.patience import PATIENCE_SECONDS
from tests.embedded.test_warm_pool_scenarios import EndpointSurroundings, end
from tests.scenario_stage import Stage

USER_DATA = """#!/bin/sh
echo begun >> /var/lib/boots
sleep 600
echo ended >> /var/lib/boots
"""
READ_TARGET = """
imds=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
token=$(curl -s -X PUT "$imds/latest/api/token" -H "X-aws-ec2-metadata-token-ttl-seconds: 60")
curl -s -H "X-aws-ec2-metadata-token: $token" \
  "$imds/latest/meta-data/autoscaling/target-lifecycle-state"
"""


class Shell:
    """Runs commands in instances as an operator does, by Run Command."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self._ssm = cloud.client("ssm")

    def output(self, instance_id: str, command: str) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                sent = self._ssm.send_command(
                    InstanceIds=[instance_id],
                    DocumentName="AWS-RunShellScript",
                    Parameters={"commands": [command]},
                )
                break
            except ClientError as error:
                assert error.response["Error"]["Code"] == "InvalidInstanceId"
                assert time.monotonic() < deadline, f"{instance_id} never registered"
                time.sleep(0.2)
        command_id = sent["Command"]["CommandId"]
        while time.monotonic() < deadline:
            time.sleep(0.1)
            found = self._ssm.list_command_invocations(CommandId=command_id, Details=True)
            for invocation in found["CommandInvocations"]:
                if invocation["Status"] == "Success":
                    return str(invocation["CommandPlugins"][0]["Output"]).strip()
                assert invocation["Status"] in ("Pending", "InProgress", "Delayed"), invocation
        raise AssertionError(f"{command!r} did not end on {instance_id}")


@pytest.fixture
def stage(cloud: EmbeddedCloud, unique: Callable[[str], str]) -> Iterator[Stage]:
    name = unique("workers")
    user_data = base64.b64encode(USER_DATA.encode()).decode()
    around = EndpointSurroundings(cloud, name, UserData=user_data)
    stage = Stage(around, name)
    yield stage
    end(stage)


@pytest.fixture
def shell(cloud: EmbeddedCloud) -> Shell:
    return Shell(cloud)


def test_an_instance_is_stopped_in_the_middle_of_its_user_data_and_never_runs_it_again(
    stage: Stage, shell: Shell
) -> None:
    stage.create(desired=0, max_size=1, pool={})
    (entry,) = stage.until_action("EC2", "WarmPool")
    instance_id = entry["detail"]["EC2InstanceId"]
    stage.until(
        lambda: shell.output(instance_id, "cat /var/lib/boots || true") == "begun", "user data"
    )
    assert shell.output(instance_id, READ_TARGET) == "Warmed:Stopped"
    stage.rest(in_service=0, pooled=1)
    stage.set_desired(1)
    stage.until_action("WarmPool", "AutoScalingGroup")
    assert shell.output(instance_id, READ_TARGET) == "InService"
    assert shell.output(instance_id, "cat /var/lib/boots") == "begun"


def test_a_heartbeat_restarts_the_timeout_in_real_time(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={}, heartbeat=30)
    (entry,) = stage.until_action("EC2", "WarmPool")
    opened = time.monotonic()
    time.sleep(15)
    stage.asg.record_lifecycle_action_heartbeat(
        AutoScalingGroupName=stage.name,
        LifecycleHookName="ready",
        LifecycleActionToken=entry["detail"]["LifecycleActionToken"],
    )
    beaten = time.monotonic()
    (leaving,) = stage.until_action("WarmPool", "EC2")
    assert leaving["detail"]["EC2InstanceId"] == entry["detail"]["EC2InstanceId"]
    assert time.monotonic() - beaten >= 29
    assert time.monotonic() - opened >= 44
    (activity,) = [a for a in stage.activities() if a["StatusCode"] == "Cancelled"]
    assert activity["StatusMessage"].endswith("was abandoned: Heartbeat Timeout")


def test_a_hook_with_a_queue_as_target_is_told_there_too(
    stage: Stage, cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    sqs, name = cloud.client("sqs"), unique("hooks")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    stage.create(desired=0, max_size=1)
    hook = {
        "AutoScalingGroupName": stage.name,
        "LifecycleHookName": "ready",
        "NotificationTargetARN": arn["QueueArn"],
        "RoleARN": "arn:aws:iam::000000000000:role/notifier",
    }
    stage.asg.put_lifecycle_hook(**hook)
    (test,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert "autoscaling:TEST_NOTIFICATION" in test["Body"]
    stage.set_desired(1)
    (action,) = stage.until_action("EC2", "AutoScalingGroup")
    (told,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert action["detail"]["LifecycleActionToken"] in told["Body"]
    with pytest.raises(ClientError, match="Unable to publish test message"):
        gone = f"{hook['NotificationTargetARN']}-gone"
        stage.asg.put_lifecycle_hook(**{**hook, "NotificationTargetARN": gone})
