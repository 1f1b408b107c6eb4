"""The group's adapter against botocore's own model of the calls."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.aws.calls import CLIENT_CONFIG
from pilotlight.errors import (
    GroupNotFoundError,
    InstanceNotInGroupError,
    InstanceRefreshError,
    NoActiveLifecycleActionError,
    TransientError,
)
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.waits import Activity

NAME = "stack-workers"
INSTANCE = "i-065912b0a0b011650"
TOKEN = "36b210eb-0e5d-4ddf-b153-acd86a82e850"
ACTION = {"AutoScalingGroupName": NAME, "LifecycleHookName": "ready", "InstanceId": INSTANCE}
BY_TOKEN = ACTION | {"LifecycleActionToken": TOKEN}
PAUSE = Pause(INSTANCE, "ready", TOKEN)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client: Any = boto3.client(
        "autoscaling",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=CLIENT_CONFIG,
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def group(stub: Stubber) -> AutoScalingGroup:
    return AutoScalingGroup(stub.client, NAME)


def test_an_action_is_completed_by_its_token(stub: Stubber, group: AutoScalingGroup) -> None:
    stub.add_response(
        "complete_lifecycle_action", {}, BY_TOKEN | {"LifecycleActionResult": "CONTINUE"}
    )

    group.complete(PAUSE, "CONTINUE")


def test_without_a_token_the_instance_id_stands_alone(
    stub: Stubber, group: AutoScalingGroup
) -> None:
    stub.add_response("record_lifecycle_action_heartbeat", {}, ACTION)

    group.record_heartbeat(Pause(INSTANCE, "ready", None))


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (
            "ValidationError",
            f"No active Lifecycle Action found with instance ID {INSTANCE}",
            NoActiveLifecycleActionError,
        ),
        (
            "ValidationError",
            f"No active Lifecycle Action found with token {TOKEN}",
            NoActiveLifecycleActionError,
        ),
        ("Throttling", "Rate exceeded", TransientError),
        ("ResourceContention", "", TransientError),
        ("InstanceRefreshInProgress", "An instance refresh is in progress", InstanceRefreshError),
    ],
)
def test_what_aws_says_has_a_name(
    stub: Stubber, group: AutoScalingGroup, code: str, message: str, expected: type[Exception]
) -> None:
    stub.add_client_error("complete_lifecycle_action", code, message, http_status_code=400)

    with pytest.raises(expected):
        group.complete(PAUSE, "CONTINUE")


@pytest.mark.parametrize(
    ("code", "message"), [("AccessDenied", "not authorized"), ("ValidationError", "Another thing")]
)
def test_an_unknown_error_passes_unchanged(
    stub: Stubber, group: AutoScalingGroup, code: str, message: str
) -> None:
    stub.add_client_error("complete_lifecycle_action", code, message, http_status_code=400)

    with pytest.raises(stub.client.exceptions.ClientError, match=message):
        group.complete(PAUSE, "CONTINUE")


def test_a_state_is_read_and_an_unknown_instance_has_none(
    stub: Stubber, group: AutoScalingGroup
) -> None:
    described = {
        "InstanceId": INSTANCE,
        "AutoScalingGroupName": NAME,
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": "Warmed:Stopped",
        "HealthStatus": "HEALTHY",
        "ProtectedFromScaleIn": False,
    }
    for answer in ([described], []):
        stub.add_response(
            "describe_auto_scaling_instances",
            {"AutoScalingInstances": answer},
            {"InstanceIds": [INSTANCE]},
        )

    assert [group.lifecycle_state(INSTANCE), group.lifecycle_state(INSTANCE)] == [
        "Warmed:Stopped",
        None,
    ]


def test_unhealthy_does_not_wait_for_the_grace_period(
    stub: Stubber, group: AutoScalingGroup
) -> None:
    expected = {
        "InstanceId": INSTANCE,
        "HealthStatus": "Unhealthy",
        "ShouldRespectGracePeriod": False,
    }
    stub.add_response("set_instance_health", {}, expected)
    group.set_unhealthy(INSTANCE)

    stub.add_client_error(
        "set_instance_health",
        "ValidationError",
        f"Instance Id not found - No managed instance found for instance ID: {INSTANCE}",
    )
    with pytest.raises(InstanceNotInGroupError):
        group.set_unhealthy(INSTANCE)


def member(state: str, **more: Any) -> dict[str, Any]:
    return {
        "InstanceId": INSTANCE,
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": state,
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
    } | more


def test_a_group_is_described_in_one_call(stub: Stubber, group: AutoScalingGroup) -> None:
    described = {
        "AutoScalingGroupName": NAME,
        "MinSize": 1,
        "MaxSize": 5,
        "DesiredCapacity": 2,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["us-east-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": datetime(2026, 1, 1, tzinfo=UTC),
        "Instances": [member("InService", ProtectedFromScaleIn=True)],
        "WarmPoolSize": 3,
        "Status": "Delete in progress",
        "SuspendedProcesses": [{"ProcessName": "AZRebalance", "SuspensionReason": "User"}],
        "Tags": [{"Key": "pilotlight:setup-breaker", "Value": "open now"}],
        "LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "7"},
    }
    stub.add_response(
        "describe_auto_scaling_groups",
        {"AutoScalingGroups": [described]},
        {"AutoScalingGroupNames": [NAME]},
    )

    assert group.describe() == Group(
        min_size=1,
        max_size=5,
        desired_capacity=2,
        members=(Member(INSTANCE, "InService", is_protected=True),),
        warm_pool_size=3,
        suspended_processes=frozenset({"AZRebalance"}),
        tags=(("pilotlight:setup-breaker", "open now"),),
        is_being_deleted=True,
        launch_template_version="7",
    )


def test_a_group_that_is_not_there_is_named(stub: Stubber, group: AutoScalingGroup) -> None:
    stub.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": []})

    with pytest.raises(GroupNotFoundError, match=NAME):
        group.describe()


def test_the_whole_warm_pool_is_read_page_by_page(stub: Stubber, group: AutoScalingGroup) -> None:
    first, second = member("Warmed:Stopped"), member("Warmed:Pending:Wait")
    stub.add_response(
        "describe_warm_pool",
        {"Instances": [first], "NextToken": "more"},
        {"AutoScalingGroupName": NAME},
    )
    stub.add_response(
        "describe_warm_pool",
        {"Instances": [second]},
        {"AutoScalingGroupName": NAME, "NextToken": "more"},
    )

    assert [it.lifecycle_state for it in group.warm_pool()] == [
        "Warmed:Stopped",
        "Warmed:Pending:Wait",
    ]


def test_activities_are_read_no_further_than_needed(stub: Stubber, group: AutoScalingGroup) -> None:
    started = datetime(2026, 9, 27, 12, tzinfo=UTC)
    text = f"Launching a new EC2 instance into warm pool: {INSTANCE}"
    activity = {
        "ActivityId": "1",
        "AutoScalingGroupName": NAME,
        "Description": text,
        "Cause": "a difference",
        "StartTime": started,
        "StatusCode": "MidLifecycleAction",
    }
    stub.add_response(
        "describe_scaling_activities",
        {"Activities": [activity], "NextToken": "more"},
        {"AutoScalingGroupName": NAME},
    )

    assert next(iter(group.activities())) == Activity(text, "MidLifecycleAction", "", started)


def test_held_launches_are_asked_for_by_their_status(
    stub: Stubber, group: AutoScalingGroup
) -> None:
    status = {"Name": "Status", "Values": ["MidLifecycleAction"]}
    stub.add_response(
        "describe_scaling_activities",
        {"Activities": []},
        {"AutoScalingGroupName": NAME, "Filters": [status]},
    )

    assert list(group.held_launches()) == []
    stub.assert_no_pending_responses()


def test_capacity_processes_and_tags_are_set(stub: Stubber, group: AutoScalingGroup) -> None:
    named = {"AutoScalingGroupName": NAME}
    stub.add_response(
        "set_desired_capacity", {}, named | {"DesiredCapacity": 3, "HonorCooldown": False}
    )
    stub.add_response("suspend_processes", {}, named | {"ScalingProcesses": ["Launch"]})
    stub.add_response("resume_processes", {}, named | {"ScalingProcesses": ["Launch"]})
    tag = {
        "ResourceId": NAME,
        "ResourceType": "auto-scaling-group",
        "Key": "k",
        "Value": "v",
        "PropagateAtLaunch": False,
    }
    stub.add_response("create_or_update_tags", {}, {"Tags": [tag]})

    group.set_desired_capacity(3)
    group.suspend("Launch")
    group.resume("Launch")
    group.write_tag("k", "v")
