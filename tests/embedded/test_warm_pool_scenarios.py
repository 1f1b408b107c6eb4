"""The warm-pool scenarios through boto3, on real instances of the embedded AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud
from tests.embedded.conftest import SPEED
from tests.embedded.patience import until
from tests.scenario_stage import Stage
from tests.warm_pool_scenarios import *  # noqa: F403


class EndpointSurroundings:
    """One launch template, one zone's subnet, and a queue that hears the group's events."""

    def __init__(self, cloud: EmbeddedCloud, name: str, **template: Any) -> None:
        """`template` adds to the launch template's data."""
        self.client = cloud.client("autoscaling")
        self._cloud = cloud
        self._name = name
        self._ec2 = cloud.client("ec2")
        self._sqs = cloud.client("sqs")
        self._heard: list[dict[str, Any]] = []
        self._queue_url = self._listen()
        subnet = self._ec2.describe_subnets()["Subnets"][0]
        self._subnet_id, self._zone = subnet["SubnetId"], subnet["AvailabilityZone"]
        image = self._ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        self._ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={"ImageId": image, "InstanceType": "t3.nano", **template},
        )

    def poll(self, condition: Callable[[], bool]) -> bool:
        return bool(until(condition))

    def pass_seconds(self, seconds: float) -> None:
        time.sleep(seconds / SPEED)

    def events(self) -> list[dict[str, Any]]:
        while messages := self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10
        ).get("Messages", []):
            for message in messages:
                self._heard.append(json.loads(message["Body"]))
                self._sqs.delete_message(
                    QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return self._heard

    def machine_state(self, instance_id: str) -> str:
        found = self._ec2.describe_instances(InstanceIds=[instance_id])
        return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])

    def lose_machine(self, instance_id: str, state: str) -> None:
        change = self._ec2.stop_instances if state == "stopped" else self._ec2.terminate_instances
        change(InstanceIds=[instance_id])
        assert self.poll(lambda: self.machine_state(instance_id) == state)

    def set_capacity(self, available: bool) -> None:
        request = Request(  # noqa: S310 - our own endpoint
            f"{self._cloud.endpoint}/_pilotlight/capacity",
            data=json.dumps({"zone": self._zone, "available": available}).encode(),
        )
        with urlopen(request) as answer:  # noqa: S310 - our own endpoint
            assert answer.status < 300

    def where_to_launch(self) -> dict[str, Any]:
        return {
            "LaunchTemplate": {"LaunchTemplateName": self._name},
            "VPCZoneIdentifier": self._subnet_id,
        }

    def new_template(self) -> dict[str, Any]:
        made = self._ec2.create_launch_template_version(
            LaunchTemplateName=self._name,
            SourceVersion="1",
            LaunchTemplateData={"InstanceType": "t3.micro"},
        )
        version = str(made["LaunchTemplateVersion"]["VersionNumber"])
        return {"LaunchTemplateName": self._name, "Version": version}

    def _listen(self) -> str:
        url: str = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        queue_arn = arn["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                }
            ],
        }
        self._sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        events = self._cloud.client("events")
        pattern = {
            "source": ["aws.autoscaling"],
            "detail": {"AutoScalingGroupName": [self._name]},
        }
        events.put_rule(Name=self._name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=self._name, Targets=[{"Id": "queue", "Arn": queue_arn}])
        return url


@pytest.fixture
def stage(cloud: EmbeddedCloud, unique: Callable[[str], str]) -> Iterator[Stage]:
    name = unique("workers")
    around = EndpointSurroundings(cloud, name)
    stage = Stage(around, name)
    yield stage
    around.set_capacity(available=True)
    end(stage)


def end(stage: Stage) -> None:
    """Delete the group and wait for nobody: without hooks it goes by itself."""
    if not stage.describe():
        return
    group = {"AutoScalingGroupName": stage.name}
    for hook in ("ready", "drain"):
        with suppress(ClientError):
            stage.asg.delete_lifecycle_hook(**group, LifecycleHookName=hook)
    stage.asg.delete_auto_scaling_group(**group, ForceDelete=True)
