"""The adapters of services that moto does for real."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from pilotlight.aws.ec2 import InstanceTags
from pilotlight.aws.sns import AlertTopic
from pilotlight.aws.sqs import JobsQueue, SourceQueue, WatchQueue
from pilotlight.errors import TransientError
from pilotlight.scaling.decision import QueueDepth

REGION = "us-east-1"


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


def test_a_slot_has_one_tick_however_often_it_is_sent() -> None:
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="watch.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    watch = WatchQueue(client, url)

    for slot in (7, 7, 8):
        watch.send_tick(slot)

    assert JobsQueue(client, url).depth().visible == 2


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


def test_an_alert_reaches_the_topics_subscribers() -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    sns = boto3.client("sns", region_name=REGION)
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:inbox")

    AlertTopic(sns, arn).publish("Setup fails", "three in a row")

    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert "three in a row" in message["Body"]
