"""What the API answers: tokens, refusals, and what it shows."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

from tests.scenario_stage import CONTINUE, Stage, refused


@pytest.mark.parametrize("by", ["token", "instance id"])
def test_an_action_can_be_completed_once(stage: Stage, by: str) -> None:
    stage.create(desired=1, max_size=1)
    (action,) = stage.until_action("EC2", "AutoScalingGroup")
    detail = action["detail"]
    subject = {"LifecycleActionToken": detail["LifecycleActionToken"]}
    words = f"token {detail['LifecycleActionToken']}"
    if by == "instance id":
        subject = {"InstanceId": detail["EC2InstanceId"]}
        words = f"instance ID {detail['EC2InstanceId']}"
    request = {
        "AutoScalingGroupName": stage.name,
        "LifecycleHookName": "ready",
        "LifecycleActionResult": CONTINUE,
        **subject,
    }
    stage.asg.complete_lifecycle_action(**request)
    with pytest.raises(ClientError) as error:
        stage.asg.complete_lifecycle_action(**request)
    message = f"No active Lifecycle Action found with {words}"
    assert refused(error) == ("ValidationError", message)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_action_that_has_not_begun_cannot_be_completed(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    stage.rest(in_service=0, pooled=1)
    (instance_id,) = stage.pool()
    with pytest.raises(ClientError) as error:
        stage.asg.complete_lifecycle_action(
            AutoScalingGroupName=stage.name,
            LifecycleHookName="ready",
            LifecycleActionResult=CONTINUE,
            InstanceId=instance_id,
        )
    message = f"No active Lifecycle Action found with instance ID {instance_id}"
    assert refused(error) == ("ValidationError", message)


def test_the_entry_token_does_not_complete_the_later_exit(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    (entry,) = stage.until_action("EC2", "WarmPool")
    stage.rest(in_service=0, pooled=1)
    stage.set_desired(1)
    (leaving,) = stage.until_action("WarmPool", "AutoScalingGroup")
    with pytest.raises(ClientError):
        stage.complete(entry)
    assert stage.group() == {leaving["detail"]["EC2InstanceId"]: "Pending:Wait"}


def test_a_warm_member_can_be_neither_protected_nor_terminated_by_the_group(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    stage.rest(in_service=0, pooled=1)
    (instance_id,) = stage.pool()
    with pytest.raises(ClientError) as error:
        stage.asg.set_instance_protection(
            AutoScalingGroupName=stage.name, InstanceIds=[instance_id], ProtectedFromScaleIn=True
        )
    assert refused(error)[0] == "ValidationError"
    with pytest.raises(ClientError) as error:
        stage.asg.terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
        )
    assert refused(error)[0] == "ValidationError"
    assert stage.pool() == {instance_id: "Warmed:Stopped"}


def test_a_warm_member_is_in_one_membership_and_its_health_is_spelled_in_two_ways(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=2, pool={})
    stage.rest(in_service=1, pooled=1)
    (warm,) = stage.pool()
    (serving,) = stage.group()
    assert warm != serving
    assert stage.describe_pool()["Instances"][0]["HealthStatus"] == "Healthy"
    assert stage.member(warm)["HealthStatus"] == "HEALTHY"
    assert stage.member(warm)["LifecycleState"] == "Warmed:Stopped"
    assert stage.member(warm)["AutoScalingGroupName"] == stage.name


def test_deleting_a_hook_ends_its_open_actions(stage: Stage) -> None:
    stage.create(desired=1, max_size=1)
    (entry,) = stage.until_action("EC2", "AutoScalingGroup")
    stage.asg.delete_lifecycle_hook(AutoScalingGroupName=stage.name, LifecycleHookName="ready")
    (leaving,) = stage.until_action("AutoScalingGroup", "EC2")
    assert leaving["detail"]["EC2InstanceId"] == entry["detail"]["EC2InstanceId"]
    stage.asg.delete_lifecycle_hook(AutoScalingGroupName=stage.name, LifecycleHookName="drain")
    stage.rest(in_service=1, pooled=0)
    assert entry["detail"]["EC2InstanceId"] not in stage.group()


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        (
            "set_desired_capacity",
            {"DesiredCapacity": 3},
            "ValidationError",
            "New SetDesiredCapacity value 3 is above max value 2 for the AutoScalingGroup.",
        ),
        (
            "update_auto_scaling_group",
            {"MinSize": 3},
            "ValidationError",
            "Max bound, 2, must be greater than or equal to min bound, 3",
        ),
        (
            "put_lifecycle_hook",
            {
                "LifecycleHookName": "h",
                "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
                "HeartbeatTimeout": 29,
            },
            "ValidationError",
            "must be between 30 and 7200",
        ),
        ("put_warm_pool", {"PoolState": "Frozen"}, "ValidationError", "enum value set: .Stopped"),
        ("delete_warm_pool", {}, "ValidationError", "No warm pool found"),
        ("create_auto_scaling_group", {"MinSize": 0, "MaxSize": 1}, "AlreadyExists", "exists"),
    ],
)
def test_a_bad_request_is_refused_in_the_words_of_aws(
    stage: Stage, operation: str, request_: dict[str, object], code: str, message: str
) -> None:
    stage.create(desired=0, max_size=2)
    with pytest.raises(ClientError) as error:
        getattr(stage.asg, operation)(AutoScalingGroupName=stage.name, **request_)
    assert refused(error)[0] == code
    assert re.search(message, refused(error)[1])


def test_an_unknown_group_is_named(stage: Stage) -> None:
    with pytest.raises(ClientError) as error:
        stage.asg.set_desired_capacity(AutoScalingGroupName="nobody", DesiredCapacity=1)
    assert refused(error) == (
        "ValidationError",
        "AutoScalingGroup name not found - AutoScalingGroup 'nobody' not found",
    )


def test_a_simple_policy_changes_capacity_within_bounds(stage: Stage) -> None:
    stage.create(desired=0, max_size=3)
    policy = stage.asg.put_scaling_policy(
        AutoScalingGroupName=stage.name,
        PolicyName="more",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=5,
    )
    stage.asg.execute_policy(PolicyName=policy["PolicyARN"])
    assert stage.describe()["DesiredCapacity"] == 3
