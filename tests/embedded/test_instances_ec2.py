"""EC2's instance calls through the endpoint, with machines behind them."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud

NEWEST_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
IMAGE = "ami-0c2023a1b2c3d4e5f"
PATIENCE_SECONDS = 60.0
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Ec2:
    """EC2 as a test uses it; what it launched is terminated in the end."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self.cloud = cloud
        self.client = cloud.client("ec2")
        self.launched: list[str] = []

    def run(self, user_data: str = "", **settings: Any) -> str:
        answer = self.client.run_instances(
            **{"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "UserData": user_data, **settings}
        )
        self.launched += [each["InstanceId"] for each in answer["Instances"]]
        return self.launched[-1]

    def describe(self, instance_id: str) -> dict[str, Any]:
        found = self.client.describe_instances(InstanceIds=[instance_id])
        return dict(found["Reservations"][0]["Instances"][0])

    def wait_for(self, instance_id: str, state: str) -> dict[str, Any]:
        wait_until(lambda: self.describe(instance_id)["State"]["Name"] == state, state)
        return self.describe(instance_id)

    def disk(self, instance_id: str) -> Path:
        return self.cloud.log_file.parent / "instances" / instance_id / "disk"

    def control(self, name: str, **content: Any) -> Mapping[str, Any]:
        asked = urllib.request.Request(  # noqa: S310
            f"{self.cloud.endpoint}/_pilotlight/{name}", json.dumps(content).encode()
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            said: Mapping[str, Any] = json.loads(answer.read())
        return said


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not {what} after {PATIENCE_SECONDS} s"
        time.sleep(0.05)


@pytest.fixture
def ec2(cloud: EmbeddedCloud) -> Iterator[Ec2]:
    account = Ec2(cloud)
    yield account
    if account.launched:
        account.client.terminate_instances(InstanceIds=account.launched)


def test_an_instance_goes_through_its_states_and_keeps_its_private_address(ec2: Ec2) -> None:
    instance_id = ec2.run()
    assert ec2.describe(instance_id)["State"]["Name"] in ("pending", "running")
    running = ec2.wait_for(instance_id, "running")
    assert running["PublicIpAddress"].startswith("54.")
    assert running["PrivateIpAddress"].startswith("172.31.")
    assert running["Placement"]["AvailabilityZone"] == "us-east-1a"

    change = ec2.client.stop_instances(InstanceIds=[instance_id])["StoppingInstances"][0]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == (
        "running",
        "stopping",
    )
    stopped = ec2.wait_for(instance_id, "stopped")
    assert "PublicIpAddress" not in stopped
    assert stopped["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert stopped["PrivateIpAddress"] == running["PrivateIpAddress"]

    ec2.client.start_instances(InstanceIds=[instance_id])
    again = ec2.wait_for(instance_id, "running")
    assert again["PublicIpAddress"]
    assert again["LaunchTime"] >= running["LaunchTime"]

    ec2.client.terminate_instances(InstanceIds=[instance_id])
    ec2.wait_for(instance_id, "terminated")
    assert not ec2.disk(instance_id).exists()


def test_user_data_runs_on_the_instances_own_disk(ec2: Ec2) -> None:
    instance_id = ec2.run("#!/bin/sh\necho ${HOME%/root}\ntouch ${HOME%/root}/opt/was-here\n")
    ec2.wait_for(instance_id, "running")
    wait_until((ec2.disk(instance_id) / "opt/was-here").exists, "user data")
    assert not Path("/opt/was-here").exists()


def test_a_launch_template_says_everything_and_the_call_wins_over_it(
    ec2: Ec2, unique: Callable[[str], str]
) -> None:
    name = unique("template")
    data = {
        "ImageId": f"resolve:ssm:{NEWEST_IMAGE}",
        "InstanceType": "t3.medium",
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "Encrypted": True}},
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5, "DeleteOnTermination": False}},
        ],
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]},
            {"ResourceType": "volume", "Tags": [{"Key": "Disk", "Value": name}]},
        ],
    }
    ec2.client.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    ec2.client.create_launch_template_version(
        LaunchTemplateName=name, LaunchTemplateData={**data, "InstanceType": "t3.large"}
    )

    template = {"LaunchTemplateName": name}
    default = ec2.describe(ec2.run(LaunchTemplate=template))
    latest = ec2.describe(ec2.run(LaunchTemplate={**template, "Version": "$Latest"}))
    own = ec2.describe(
        ec2.run(LaunchTemplate={**template, "Version": "1"}, InstanceType="m5.large")
    )

    types = [each["InstanceType"] for each in (default, latest, own)]
    assert types == ["t3.medium", "t3.large", "m5.large"]
    assert default["ImageId"] == IMAGE
    assert default["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert default["Tags"] == [{"Key": "Name", "Value": name}]
    tagged = [{"Name": "tag:Disk", "Values": [name]}]
    volumes = ec2.client.describe_volumes(Filters=tagged)["Volumes"]
    assert sorted((each["Size"], each["Encrypted"]) for each in volumes)[-1] == (30, True)
    ec2.wait_for(own["InstanceId"], "running")
    ec2.client.terminate_instances(InstanceIds=[own["InstanceId"]])
    ec2.wait_for(own["InstanceId"], "terminated")
    left = ec2.client.describe_volumes(Filters=tagged)["Volumes"]
    assert len(left) == len(volumes) - 1
    assert [each["Size"] for each in left if each["State"] == "available"] == [5]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"LaunchTemplate": {"LaunchTemplateName": "none"}}, "InvalidLaunchTemplateId.NotFound"),
        ({"SubnetId": "subnet-00000000"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-00000000"]}, "InvalidGroup.NotFound"),
        ({"IamInstanceProfile": {"Name": "none"}}, "InvalidParameterValue"),
        ({"MinCount": 2}, "InvalidParameterValue"),
        ({"ImageId": "ami-mine"}, "InvalidAMIID.Malformed"),
        ({"ImageId": "resolve:ssm:/not/there"}, "InvalidAMIID.Malformed"),
    ],
)
def test_a_launch_that_names_what_is_not_there_is_refused(
    ec2: Ec2, settings: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        ec2.run(**settings)
    assert refused.value.response["Error"]["Code"] == code


def test_without_capacity_a_stopped_instance_cannot_start(ec2: Ec2) -> None:
    zone = "us-east-1c"
    placement = {"Placement": {"AvailabilityZone": zone}}
    instance_id = ec2.run(**placement)
    ec2.wait_for(instance_id, "running")
    ec2.client.stop_instances(InstanceIds=[instance_id])
    ec2.wait_for(instance_id, "stopped")

    ec2.control("capacity", zone=zone, available=False)
    for call in (
        lambda: ec2.client.start_instances(InstanceIds=[instance_id]),
        lambda: ec2.run(**placement),
    ):
        with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
            call()
    assert ec2.describe(instance_id)["State"]["Name"] == "stopped"

    ec2.control("capacity", zone=zone, available=True)
    ec2.client.start_instances(InstanceIds=[instance_id])
    ec2.wait_for(instance_id, "running")


def test_state_changes_are_events(
    ec2: Ec2, cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    url, arn = queue_for_rules(cloud, unique("states"))
    events, name = cloud.client("events"), unique("states")
    pattern = {"detail-type": ["EC2 Instance State-change Notification"]}
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.ec2"], **pattern}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    instance_id = ec2.run()
    ec2.wait_for(instance_id, "running")
    seen: list[str] = []

    def heard() -> bool:
        answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        for body in bodies:
            if body["detail"]["instance-id"] == instance_id:
                assert body["resources"][0].endswith(f"instance/{instance_id}")
                seen.append(body["detail"]["state"])
        return len(seen) == 2

    wait_until(heard, "told of both states")
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)
    assert sorted(seen) == ["pending", "running"]


def test_shutdown_inside_stops_the_instance_and_says_who_did_it(ec2: Ec2) -> None:
    instance_id = ec2.run("#!/bin/sh\nshutdown -h now\n")
    stopped = ec2.wait_for(instance_id, "stopped")
    assert stopped["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"


def test_a_hung_instance_fails_its_status_check(ec2: Ec2) -> None:
    instance_id = ec2.run()
    ec2.wait_for(instance_id, "running")

    def status() -> str:
        found = ec2.client.describe_instance_status(InstanceIds=[instance_id])
        return str(found["InstanceStatuses"][0]["InstanceStatus"]["Status"])

    wait_until(lambda: status() == "ok", "ok")
    ec2.control("fault", instance_id=instance_id, fault="hang")
    wait_until(lambda: status() == "impaired", "impaired")


def test_programs_on_the_instance_are_the_role_and_no_more(
    ec2: Ec2, cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    name = unique("worker")
    iam = cloud.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    allow = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    script = f"""#!/bin/sh
exec {sys.executable} - <<'PROGRAM'
import boto3, botocore.exceptions
session = boto3.Session(region_name="us-east-1")
print("I am", session.client("sts").get_caller_identity()["Arn"])
session.client("sqs").list_queues()
try:
    session.client("sqs").create_queue(QueueName="not-allowed")
except botocore.exceptions.ClientError as error:
    print("refused", error.response["Error"]["Code"])
PROGRAM
"""
    instance_id = ec2.run(script, IamInstanceProfile={"Arn": profile_arn(iam, name)})
    log = ec2.disk(instance_id) / "var/log/cloud-init-output.log"
    ec2.wait_for(instance_id, "running")
    wait_until(lambda: log.exists() and "refused" in log.read_text(), "refused")
    account = role["Role"]["Arn"].split(":")[4]
    assert f"I am arn:aws:sts::{account}:assumed-role/{name}/{instance_id}" in log.read_text()
    assert "refused AccessDenied" in log.read_text()


def test_a_control_request_that_makes_no_sense_is_told_so(ec2: Ec2) -> None:
    for name, content, said in (
        ("nothing", {}, "POST /_pilotlight/capacity"),
        ("capacity", {"zone": "us-east-1a"}, "'available'"),
        ("fault", {"instance_id": "i-0", "fault": "hang"}, "'i-0'"),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            ec2.control(name, **content)
        with refused.value as answer:
            assert said in answer.read().decode()


def profile_arn(iam: Any, name: str) -> str:
    found = iam.get_instance_profile(InstanceProfileName=name)
    return str(found["InstanceProfile"]["Arn"])


def queue_for_rules(cloud: EmbeddedCloud, name: str) -> tuple[str, str]:
    """URL and ARN of a queue to which EventBridge may send."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn
