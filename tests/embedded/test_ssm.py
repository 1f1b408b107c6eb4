"""Systems Manager through the endpoint, on an instance that really runs the scripts."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.embedded.patience import until

AL2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
OPEN = ("Pending", "InProgress", "Delayed")


@pytest.fixture
def ssm(client):
    return client("ssm")


@pytest.fixture
def launch(client, ssm):
    """Starts an instance and waits for its agent; all are terminated in the end."""
    ec2, made = client("ec2"), []

    def start(tags: dict[str, str]) -> str:
        image_id = ssm.get_parameter(Name=AL2023)["Parameter"]["Value"]
        specification = [{"Key": key, "Value": value} for key, value in tags.items()]
        launched = ec2.run_instances(
            ImageId=image_id,
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": specification}],
        )
        instance_id = launched["Instances"][0]["InstanceId"]
        made.append(instance_id)
        assert until(lambda: is_online(ssm, instance_id))
        return str(instance_id)

    yield start
    if made:
        ec2.terminate_instances(InstanceIds=made)


def is_online(ssm: Any, instance_id: str) -> bool:
    filters = [{"Key": "InstanceIds", "Values": [instance_id]}]
    listed = ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]
    return bool(listed) and listed[0]["PingStatus"] == "Online"


def answer(ssm: Any, command_id: str, instance_id: str) -> dict[str, Any]:
    def finished() -> dict[str, Any] | None:
        try:
            found = ssm.get_command_invocation(CommandId=command_id, InstanceId=instance_id)
        except ssm.exceptions.InvocationDoesNotExist:
            return None
        return found if found["Status"] not in OPEN else None

    return until(finished)


CHECK = {
    "schemaVersion": "2.2",
    "parameters": {"word": {"type": "String", "interpolationType": "ENV_VAR"}},
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "check",
            "precondition": {"StringEquals": ["platformType", "Linux"]},
            "inputs": {
                "timeoutSeconds": "60",
                "runCommand": ['echo "$SSM_word"; echo no >&2; exit 7'],
            },
        }
    ],
}


def test_a_document_of_a_stack_runs_in_the_instance_and_its_end_is_an_event(
    client, ssm, launch, unique
):
    stack, name = unique("stack"), unique("check")
    document = {"Type": "AWS::SSM::Document"}
    properties = {"Name": name, "DocumentType": "Command", "UpdateMethod": "NewVersion"}
    document["Properties"] = properties | {"Content": CHECK}
    cloudformation = client("cloudformation")
    template = json.dumps({"Resources": {"Check": document}})
    cloudformation.create_stack(StackName=stack, TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    told_url = listen(client, name)
    instance_id = launch({"fleet": name})

    sent = ssm.send_command(
        DocumentName=name,
        Targets=[{"Key": "tag:fleet", "Values": [name]}],
        Parameters={"word": ["$(echo injected); 'x'"]},
        Comment="ready token WarmPool",
    )["Command"]
    result = answer(ssm, sent["CommandId"], instance_id)

    assert (result["Status"], result["ResponseCode"]) == ("Failed", 7)
    assert result["StandardOutputContent"] == "$(echo injected); 'x'\n"
    assert result["StandardErrorContent"].startswith("no\n")
    assert result["Comment"] == "ready token WarmPool"
    (message,) = until(lambda: client("sqs").receive_message(QueueUrl=told_url).get("Messages"))
    event = json.loads(message["Body"])
    assert event["detail"]["command-id"] == sent["CommandId"]
    assert event["detail"]["instance-id"] == instance_id
    assert event["resources"] == [
        f"arn:aws:ec2:us-east-1:{event['account']}:instance/{instance_id}"
    ]

    document["Properties"] = properties | {"Content": CHECK | {"description": "second"}}
    template = json.dumps({"Resources": {"Check": document}})
    cloudformation.update_stack(StackName=stack, TemplateBody=template)
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    described = ssm.describe_document(Name=name)["Document"]
    assert (described["DefaultVersion"], described["Description"]) == ("2", "second")
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    with pytest.raises(ssm.exceptions.InvalidDocument):
        ssm.get_document(Name=name)


def listen(client: Any, document_name: str) -> str:
    """A queue that gets the failed invocations of a document."""
    sqs, events = client("sqs"), client("events")
    url = sqs.create_queue(QueueName=document_name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    queue_arn = found["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.ssm"],
        "detail-type": ["EC2 Command Invocation Status-change Notification"],
        "detail": {"document-name": [document_name], "status": ["Failed"]},
    }
    events.put_rule(Name=document_name, EventPattern=json.dumps(pattern))
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=document_name, Targets=[{"Id": "told", "Arn": queue_arn}])
    return str(url)


def test_a_stopped_instance_is_sent_commands_which_run_once_it_is_back(client, ssm, launch, unique):
    ec2, instance_id = client("ec2"), launch({})
    ec2.stop_instances(InstanceIds=[instance_id])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig={"Delay": 1})
    assert not is_online(ssm, instance_id)
    command_id = ssm.send_command(
        InstanceIds=[instance_id],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": ["echo awake"]},
    )["Command"]["CommandId"]
    listed = until(lambda: ssm.list_command_invocations(CommandId=command_id)["CommandInvocations"])
    assert listed[0]["Status"] in ("Pending", "Delayed")
    ec2.start_instances(InstanceIds=[instance_id])
    assert answer(ssm, command_id, instance_id)["StandardOutputContent"] == "awake\n"


def test_an_instance_that_systems_manager_does_not_know_is_refused(ssm):
    with pytest.raises(ssm.exceptions.InvalidInstanceId, match="not in a valid state"):
        ssm.send_command(InstanceIds=["i-0123456789abcdef0"], DocumentName="AWS-RunShellScript",
                         Parameters={"commands": ["true"]})  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"DocumentName": "nobody-wrote-this"}, "InvalidDocument"),
        ({"Parameters": {"command": ["true"]}}, "InvalidParameters"),
        ({"Comment": "x" * 101}, "ValidationException"),
        ({"TimeoutSeconds": 29}, "ValidationException"),
    ],
)
def test_a_bad_request_is_refused_as_aws_refuses_it(cloud, change, code):
    # Without the SDK's own validation, which would keep the request from the service.

    ssm = boto3.client(
        "ssm",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    request = {
        "InstanceIds": ["i-0123456789abcdef0"],
        "DocumentName": "AWS-RunShellScript",
        "Parameters": {"commands": ["true"]},
    }
    with pytest.raises(ClientError) as refused:
        ssm.send_command(**request | change)
    assert refused.value.response["Error"]["Code"] == code


def test_secure_strings_and_paths_of_parameter_store_work(ssm, unique):
    path = f"/{unique('pilotlight')}"
    ssm.put_parameter(Name=f"{path}/key", Value="secret", Type="SecureString")
    (hidden,) = ssm.get_parameters_by_path(Path=path)["Parameters"]
    (shown,) = ssm.get_parameters_by_path(Path=path, WithDecryption=True)["Parameters"]
    assert hidden["Value"] != shown["Value"] == "secret"
