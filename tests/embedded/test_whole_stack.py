"""template.yaml as a whole, on the embedded AWS: what goes wrong is named, and ends.

Setups fail here, since what pip installs is not PyTorch; the demo shows the ones that succeed.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.cloudlogs import FUNCTIONS
from local.cloud import EmbeddedCloud
from local.instances.enclosure import BOX_MARK
from local.instances.guest.processes import marked
from pilotlight.fleet.breaker_state import BREAKER_TAG
from tests.embedded.whole_stack import Fleet, Package, Template, unique_name

FAILS_AT_ONCE = {"InstancePython": "python3.99"}  # no image has it, so the setup ends right there
ABANDONED = "Lifecycle Action Completed with ABANDON Result"
GONE = "i-0123456789abcdef0"
WOKEN_SECONDS = 30.0  # EC2's own and a few looks: the minute's look alone would take twice as long
PROVEN = {
    "ready": True,
    "checks": [],
    "proof": dict.fromkeys(("setup_hash", "template_version", "torch_version", "proven_at"), "x"),
}
CreateFleet = Callable[..., Fleet]


@pytest.fixture(scope="module")
def package(cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Built once: pytest-xdist's loadscope runs a module on one worker."""
    return Package(cloud, tmp_path_factory.mktemp("whole-stack"))


@pytest.fixture
def create(package: Package) -> Iterator[CreateFleet]:
    """`create(**parameters)`: another stack of template.yaml, deleted in the end."""
    fleets: list[Fleet] = []

    def create(**parameters: str) -> Fleet:
        fleets.append(package.create(package.template, **parameters))
        return fleets[-1]

    yield create
    for fleet in fleets:
        fleet.delete()


def worker_events(cloud: EmbeddedCloud, fleet: Fleet, instance_id: str) -> set[str]:
    """What the worker shipped of itself before its instance went, under the instance's own role."""
    pages = cloud.client("logs").get_paginator("filter_log_events")
    lines = [
        event["message"]
        for page in pages.paginate(
            logGroupName=fleet.stack.output("WorkersLogGroupName"),
            logStreamNamePrefix=f"{instance_id}/",
        )
        for event in page["events"]
    ]
    return {json.loads(line)["event"] for line in lines}


def test_an_instance_without_torch_is_abandoned_and_replaced_and_the_logs_name_the_check(
    create: CreateFleet, cloud: EmbeddedCloud
) -> None:
    fleet = create()
    fleet.send_job()
    [verdict] = fleet.until_logged("on-command-result", result="Abandoned")
    assert verdict.fields["reason"] == "CHECKS_FAILED"
    assert "import_torch: ModuleNotFoundError: No module named 'torch'" in verdict.fields["detail"]
    fleet.until(lambda: len(fleet.launches()) == 2, "a replacement is launched")
    replacement, first = fleet.launches()
    assert first["Description"].endswith(verdict.instance_id)
    expected = {"worker_started", "self_check_failed"}
    fleet.until(
        lambda: expected <= worker_events(cloud, fleet, verdict.instance_id),
        "the worker's own log is in CloudWatch",
    )
    assert first["StatusMessage"].endswith(ABANDONED)
    assert verdict.instance_id not in replacement["Description"]


def test_without_send_command_no_instance_is_passed_and_the_log_names_the_permission(
    package: Package, cloud: EmbeddedCloud
) -> None:
    # This stack is left as it is: its deletion would wait for a drain that only reconcile may send.
    fleet = package.create(
        package.without_permission("OnLifecycleActionRole", "ssm:SendCommand"), **FAILS_AT_ONCE
    )
    cloud.client("sqs").set_queue_attributes(
        QueueUrl=fleet.resource("LifecycleQueue"), Attributes={"VisibilityTimeout": "3"}
    )
    fleet.send_job()
    first, again = fleet.until_logged("on-lifecycle-action", 2, message="record failed")[:2]
    assert "(AccessDeniedException)" in first.fields["exception"]
    assert "is not authorized to perform: ssm:SendCommand" in first.fields["exception"]
    assert again.fields["message_id"] == first.fields["message_id"]
    assert fleet.states() == {first.instance_id: "Pending:Wait"}


def test_malformed_events_are_logged_counted_and_gone_and_the_others_are_answered(
    package: Package, cloud: EmbeddedCloud
) -> None:
    fleet = package.deployed
    queue_url = fleet.resource("LifecycleQueue")
    bodies = {"a": "not JSON", "b": '{"detail": {}}', "c": json.dumps(warm_pool_leaves(fleet))}
    sent = cloud.client("sqs").send_message_batch(
        QueueUrl=queue_url,
        Entries=[{"Id": key, "MessageBody": body} for key, body in bodies.items()],
    )["Successful"]
    message_ids = {it["Id"]: it["MessageId"] for it in sent}
    malformed = fleet.until_logged("on-lifecycle-action", 2, message="malformed record")
    assert {line.fields["message_id"] for line in malformed} == {message_ids["a"], message_ids["b"]}
    assert all(line.fields["reason"] for line in malformed)
    fleet.until_logged("on-lifecycle-action", instance_id=GONE)
    fleet.until(lambda: malformed_records(fleet) == len(malformed), "both are counted")
    fleet.until(lambda: messages_in(cloud, queue_url) == 0, "the lifecycle queue is empty")


def malformed_records(fleet: Fleet) -> float:
    """The metric of that name, as the function's log carries it to CloudWatch."""
    counted = (it.fields.get("MalformedRecord", []) for it in fleet.lines("on-lifecycle-action"))
    return sum(value for values in counted for value in values)


def warm_pool_leaves(fleet: Fleet) -> dict[str, Any]:
    """The event of a lifecycle action that is over long since."""
    return {
        "source": "aws.autoscaling",
        "detail-type": "EC2 Instance-terminate Lifecycle Action",
        "time": "2026-09-27T11:22:10Z",
        "detail": {
            "LifecycleActionToken": "36b210eb-0e5d-4ddf-b153-acd86a82e850",
            "AutoScalingGroupName": fleet.stack.group_name,
            "LifecycleHookName": "drain",
            "EC2InstanceId": GONE,
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "Origin": "WarmPool",
            "Destination": "EC2",
        },
    }


def messages_in(cloud: EmbeddedCloud, queue_url: str) -> int:
    """Those that wait and those that are in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = cloud.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(int(found["Attributes"][name]) for name in names)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"SubnetIds": None}, "SubnetIds"),
        ({"SubnetIds": "subnet-0123456789abcdef0"}, "subnet-0123456789abcdef0"),
        ({"ImageId": "/no/such/image"}, "/no/such/image"),
        ({"MinSize": "3", "MaxSize": "2"}, "MaxSize is 2, so MinSize must be 0 to 2"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_created(
    parameters: dict[str, str | None], said: str, package: Package, cloud: EmbeddedCloud
) -> None:
    formation = cloud.client("cloudformation")
    asked = package.request(unique_name(), package.template, **parameters)
    with pytest.raises(ClientError) as refused:
        formation.create_change_set(**asked, ChangeSetName="first", ChangeSetType="CREATE")
    assert said in str(refused.value)
    with pytest.raises(ClientError, match="does not exist"):
        formation.describe_stack_resources(StackName=asked["StackName"])


def test_setup_that_fails_again_and_again_stops_launches_and_tells_a_person(
    create: CreateFleet, cloud: EmbeddedCloud
) -> None:
    fleet = create(MaxSetupFailures="2", **FAILS_AT_ONCE)
    inbox = subscribed_queue(cloud, fleet.stack.output("AlertTopicArn"))
    fleet.send_job()
    fleet.until(lambda: len(fleet.launches(StatusCode="Cancelled")) >= 2, "two setups failed")
    fleet.reconcile()
    assert "Launch" in fleet.suspended()
    [alert] = cloud.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=20)["Messages"]
    assert fleet.stack.group_name in alert["Body"]
    assert f"Key={BREAKER_TAG},Value=open" in alert["Body"]
    fleet.until(lambda: not fleet.instances(), "what was launched meanwhile has failed, too")
    launched = len(fleet.launches())
    fleet.reconcile()
    assert fleet.group()["DesiredCapacity"] == 1
    assert len(fleet.launches()) == launched
    assert fleet.instances() == []
    fleet.write_breaker("open")  # so it has cooled down long ago
    fleet.until(lambda: trial_failed(fleet), "a trial was prepared, begun, held and judged")
    assert len(fleet.launches()) == launched + 1
    assert "Launch" in fleet.suspended()
    fleet.write_breaker("close")
    fleet.reconcile()
    fleet.until(lambda: len(fleet.launches()) > launched + 1, "a person has launching resumed")


def trial_failed(fleet: Fleet) -> bool:
    fleet.reconcile()
    phase, _, failed_trials, *_ = fleet.breaker().split()
    return (phase, failed_trials) == ("open", "1")


def test_what_sleeps_is_woken_while_the_breaker_is_open_and_nothing_new_is_launched(
    package: Package, cloud: EmbeddedCloud
) -> None:
    sizes = {"MaxSize": "2", "MaxPreparedCapacity": "-1"}
    fleet = package.create(always_ready(package.template), **sizes, **FAILS_AT_ONCE)
    fleet.until(lambda: fleet.asleep() == 2, "two are set up and asleep")
    open_breaker(fleet, cloud)
    lost, kept = fleet.instances()
    cloud.client("ec2").terminate_instances(InstanceIds=[lost])
    fleet.until(lambda: fleet.asleep() == 1, "one of them is lost, and the pool wants another")
    fleet.send_job()
    fleet.reconcile()  # as in each minute: wakes, or has the queue looked at until it does
    sent_at = time.monotonic()
    fleet.until(lambda: kept in fleet.states(), "what sleeps is woken")
    assert time.monotonic() - sent_at < WOKEN_SECONDS
    fleet.until(lambda: "Launch" in fleet.suspended(), "launching is suspended again")
    fleet.until(lambda: fleet.states() == {kept: "InService"}, "it is in service")
    assert fleet.breaker().startswith("open")
    assert fleet.instances() == [kept]
    assert [it["Description"] for it in fleet.launches()][:-2] == [
        f"Launching a new EC2 instance from warm pool: {kept}"
    ]
    fleet.delete()


def test_a_deploy_of_another_setup_has_launching_resumed(
    create: CreateFleet, package: Package, cloud: EmbeddedCloud
) -> None:
    fleet = create(**FAILS_AT_ONCE)
    open_breaker(fleet, cloud)
    package.update(fleet, package.template, InstancePython="python3.98")
    fleet.until(lambda: resumed(fleet), "the next look finds another launch template")


def open_breaker(fleet: Fleet, cloud: EmbeddedCloud) -> None:
    """As reconcile does, and has written down for which setup."""
    cloud.client("autoscaling").suspend_processes(
        AutoScalingGroupName=fleet.stack.group_name, ScalingProcesses=["Launch"]
    )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    fleet.write_breaker(f"open {now} 0 0 {fleet.setup()}")
    fleet.reconcile()
    assert fleet.breaker().startswith("open")


def resumed(fleet: Fleet) -> bool:
    fleet.reconcile()
    return fleet.breaker().startswith("close") and "Launch" not in fleet.suspended()


def always_ready(template: Template) -> Template:
    """Its readiness document proves whatever was set up."""
    ready = copy.deepcopy(template)
    [step] = ready["Resources"]["ReadinessDocument"]["Properties"]["Content"]["mainSteps"]
    step["inputs"]["runCommand"] = [f"echo '{json.dumps(PROVEN)}'"]
    return ready


def subscribed_queue(cloud: EmbeddedCloud, topic_arn: str) -> str:
    """URL of a new queue that gets what is published to the topic."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=unique_name())["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn["QueueArn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        },
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn["QueueArn"])
    return str(url)


def test_a_stack_deleted_in_the_middle_of_a_setup_leaves_no_instance_group_or_process(
    package: Package,
) -> None:
    fleet = package.create(package.template)
    fleet.send_job()
    fleet.until_logged("on-lifecycle-action", result="CommandSent")
    [instance_id] = fleet.instances()
    assert processes_of(fleet.name, instance_id)
    fleet.delete()
    assert fleet.group() == {}
    fleet.until(lambda: not fleet.instances(), "its instance is terminated")
    fleet.until(lambda: not processes_of(fleet.name, instance_id), "its processes have ended")


def processes_of(stack_name: str, instance_id: str) -> list[int]:
    """Process ids of the stack's functions and of its instance, on this computer."""
    marks = [f"AWS_LAMBDA_FUNCTION_NAME={stack_name}-{function}" for function in FUNCTIONS]
    return [pid for mark in (*marks, f"{BOX_MARK}={instance_id}") for pid in marked(mark)]
