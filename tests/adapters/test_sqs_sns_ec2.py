"""The adapters of services that moto does for real."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from pilotlight.aws.ec2 import InstanceTags, RunningInstances
from pilotlight.aws.sns import AlertTopic
from pilotlight.aws.sqs import JobsQueue, SourceQueue, WatchQueue
from pilotlight.errors import TransientError
from pilotlight.scaling.decision import QueueDepth

REGION = "us-east-1"
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/watch"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield


def test_the_depth_of_a_queue_counts_each_kind_of_message() -> None:
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="jobs")["QueueUrl"]
    for delay_seconds in (0, 0, 0, 900):
        client.send_message(QueueUrl=url, MessageBody="{}", DelaySeconds=delay_seconds)
    client.receive_message(QueueUrl=url)

    assert JobsQueue(client, url).depth() == QueueDepth(visible=2, in_flight=1, delayed=1)


def test_each_tick_waits_its_own_delay() -> None:
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="watch")["QueueUrl"]

    WatchQueue(client, url).send_ticks(range(0, 57, 3))

    assert JobsQueue(client, url).depth() == QueueDepth(visible=1, in_flight=0, delayed=18)


def test_ticks_go_ten_to_a_request_and_one_that_sqs_refuses_is_named() -> None:
    client = boto3.client("sqs", region_name=REGION)
    refused = {"Id": "33", "SenderFault": False, "Code": "InternalError", "Message": "try again"}
    with Stubber(client) as sqs:
        sqs.add_response("send_message_batch", {"Successful": [], "Failed": []}, batch(3, 33, 3))
        sqs.add_response("send_message_batch", {"Successful": [], "Failed": [refused]})
        with pytest.raises(TransientError, match=r"'Id': '33'.*InternalError"):
            WatchQueue(client, QUEUE_URL).send_ticks(range(3, 60, 3))


def batch(*delays: int) -> dict[str, Any]:
    entries = [
        {"Id": str(delay), "MessageBody": "look", "DelaySeconds": delay} for delay in range(*delays)
    ]
    return {"QueueUrl": QUEUE_URL, "Entries": entries}


def test_a_message_that_is_given_back_is_visible_again() -> None:
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="lifecycle")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="{}")
    [message] = client.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]

    SourceQueue(client, url).give_back(message["ReceiptHandle"], 0)

    assert JobsQueue(client, url).depth().visible == 1


def test_an_instance_carries_its_proof() -> None:
    client = boto3.client("ec2", region_name=REGION)
    launched = client.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    instance_id = launched["Instances"][0]["InstanceId"]

    InstanceTags(client).write(instance_id, {"pilotlight:setup-hash": "abc"})

    tags = client.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance_id]}])["Tags"]
    assert [(tag["Key"], tag["Value"]) for tag in tags] == [("pilotlight:setup-hash", "abc")]


def test_an_instance_that_ec2_does_not_see_is_transient() -> None:
    """Stubbed, for moto tags what is not there."""
    client = boto3.client("ec2", region_name=REGION)

    with Stubber(client) as stub, pytest.raises(TransientError):
        stub.add_client_error("create_tags", "InvalidInstanceID.NotFound", http_status_code=400)
        InstanceTags(client).write("i-065912b0a0b011650", {"a": "b"})


def test_only_instances_that_run_have_a_start() -> None:
    client = boto3.client("ec2", region_name=REGION)
    launched = client.run_instances(ImageId="ami-12c6146b", MinCount=3, MaxCount=3)["Instances"]
    running, stopped, terminated = (it["InstanceId"] for it in launched)
    client.stop_instances(InstanceIds=[stopped])
    client.terminate_instances(InstanceIds=[terminated])
    unknown = [f"i-{number:017x}" for number in range(250)]

    found = RunningInstances(lambda: client).running_since([stopped, terminated, *unknown, running])

    assert found == {running: launched[0]["LaunchTime"]}


def test_an_alert_reaches_the_topics_subscribers() -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    sns = boto3.client("sns", region_name=REGION)
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:inbox")

    AlertTopic(sns, arn).publish("Setup fails", "three in a row")

    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert "three in a row" in message["Body"]
