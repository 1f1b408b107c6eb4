"""The scenarios of a warm pool, told once: each runs in virtual time and against the endpoint.

Every row is behaviour that AWS states or that was recorded from the live service.
"""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

from tests.scenario_stage import ABANDON, CONTINUE, Stage

REUSE = {"InstanceReusePolicy": {"ReuseOnScaleIn": True}}


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def test_a_new_group_launches_desired_into_service_and_max_minus_desired_into_the_pool(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=5, pool={"MinSize": 1})
    into_group = stage.until_action("EC2", "AutoScalingGroup", 1)
    into_pool = stage.until_action("EC2", "WarmPool", 4)
    assert (len(into_group), len(into_pool)) == (1, 4)
    assert list(stage.group().values()) == ["Pending:Wait"]
    assert set(stage.pool().values()) == {"Warmed:Pending:Wait"}
    tokens = {action["detail"]["LifecycleActionToken"] for action in into_group + into_pool}
    assert len(tokens) == 5
    assert {len(token) for token in tokens} == {36}


def test_an_instance_entering_the_pool_runs_and_waits_until_its_action_is_completed(
    stage: Stage,
) -> None:
    stage.create(desired=0, max_size=1, pool={})
    (action,) = stage.until_action("EC2", "WarmPool")
    detail, instance_id = action["detail"], action["detail"]["EC2InstanceId"]
    assert detail["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING"
    assert detail["Action"] == "Launch"
    assert "NotificationMetadata" not in detail
    assert action["resources"] == [stage.describe()["AutoScalingGroupARN"]]
    stage.around.pass_seconds(60)
    assert stage.pool() == {instance_id: "Warmed:Pending:Wait"}
    assert stage.around.machine_state(instance_id) == "running"
    assert stage.activities()[0]["StatusCode"] == "MidLifecycleAction"
    assert stage.activities()[0]["Progress"] == 40


def test_a_completed_entry_is_stopped_and_ec2_says_so_before_the_group_does(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    (action,) = stage.until_action("EC2", "WarmPool")
    instance_id = action["detail"]["EC2InstanceId"]
    stage.complete(action)
    assert stage.pool() == {instance_id: "Warmed:Pending:Proceed"}
    stage.until(
        lambda: stage.around.machine_state(instance_id) == "stopped", f"{instance_id} stopped"
    )
    stage.until_state(instance_id, "Warmed:Stopped")
    (event,) = stage.heard("EC2 Instance Launch Successful", EC2InstanceId=instance_id)
    assert event["detail"]["Destination"] == "WarmPool"
    assert event["detail"]["StatusCode"] == "InProgress"
    assert event["detail"]["RequestId"] == event["detail"]["ActivityId"]
    assert event["detail"]["Description"] == (
        f"Launching a new EC2 instance into warm pool: {instance_id}"
    )
    assert set(event["detail"]["Details"]) == {
        "Availability Zone ID",
        "Subnet ID",
        "Availability Zone",
    }


def test_scaling_out_wakes_a_pool_member_with_a_new_token(stage: Stage) -> None:
    stage.create(desired=0, max_size=2, pool={})
    (first, _) = stage.until_action("EC2", "WarmPool", 2)
    stage.rest(in_service=0, pooled=2)
    stage.set_desired(1)
    stage.until(lambda: len(stage.group()) == 1, "a member of the pool joins the group")
    (woken,) = stage.group()
    assert woken not in stage.pool()
    (action,) = stage.until_action("WarmPool", "AutoScalingGroup")
    assert action["detail"]["EC2InstanceId"] == woken
    assert stage.group() == {woken: "Pending:Wait"}
    assert stage.around.machine_state(woken) == "running"
    assert action["detail"]["LifecycleActionToken"] != first["detail"]["LifecycleActionToken"]
    stage.complete(action)
    stage.until_state(woken, "InService")
    (event,) = stage.heard(
        "EC2 Instance Launch Successful", EC2InstanceId=woken, Destination="AutoScalingGroup"
    )
    assert event["detail"]["Origin"] == "WarmPool"
    assert event["detail"]["Description"] == (
        f"Launching a new EC2 instance from warm pool: {woken}"
    )
    assert len(stage.pool()) == 1


def test_scaling_out_with_an_empty_pool_launches_cold(stage: Stage) -> None:
    stage.create(desired=0, max_size=2, pool={"MaxGroupPreparedCapacity": 0})
    stage.set_desired(1)
    (action,) = stage.until_action("EC2", "AutoScalingGroup")
    assert stage.group() == {action["detail"]["EC2InstanceId"]: "Pending:Wait"}
    assert stage.pool() == {}


def test_scaling_in_with_reuse_returns_the_instance_through_the_terminate_hook(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=1, pool=REUSE)
    stage.rest(in_service=1, pooled=0)
    (instance_id,) = stage.group()
    stage.set_desired(0)
    (action,) = stage.until_action("AutoScalingGroup", "WarmPool")
    assert action["detail-type"] == "EC2 Instance-terminate Lifecycle Action"
    assert action["detail"]["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert stage.pool() == {instance_id: "Warmed:Pending:Wait"}
    stage.complete(action)
    stage.until_state(instance_id, "Warmed:Stopped")
    assert stage.around.machine_state(instance_id) == "stopped"
    assert list(stage.pool()) == [instance_id]


def test_abandoning_a_return_does_not_keep_the_instance_out_of_the_pool(stage: Stage) -> None:
    stage.create(desired=1, max_size=1, pool=REUSE)
    stage.rest(in_service=1, pooled=0)
    (instance_id,) = stage.group()
    stage.asg.put_lifecycle_hook(
        AutoScalingGroupName=stage.name,
        LifecycleHookName="archive",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
    )
    stage.set_desired(0)
    actions = stage.until_action("AutoScalingGroup", "WarmPool", 2)
    stage.complete(actions[0], ABANDON)
    stage.until_state(instance_id, "Warmed:Stopped")
    with pytest.raises(ClientError) as error:
        stage.complete(actions[1])
    assert "No active Lifecycle Action found" in refused(error)[1]


def test_an_unhealthy_instance_does_not_return_to_the_pool(stage: Stage) -> None:
    stage.create(desired=1, max_size=1, pool=REUSE)
    stage.rest(in_service=1, pooled=0)
    (instance_id,) = stage.group()
    stage.set_desired(0)
    (returning,) = stage.until_action("AutoScalingGroup", "WarmPool")
    stage.asg.set_instance_health(InstanceId=instance_id, HealthStatus="Unhealthy")
    stage.complete(returning)
    (leaving,) = stage.until_action("WarmPool", "EC2")
    assert leaving["detail"]["EC2InstanceId"] == instance_id
    stage.complete(leaving)
    stage.until_gone(instance_id)
    stage.rest(in_service=0, pooled=1)


def test_scaling_in_without_reuse_terminates_and_refills_the_pool_afterwards(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=1, pool={})
    stage.rest(in_service=1, pooled=0)
    (instance_id,) = stage.group()
    stage.set_desired(0)
    (action,) = stage.until_action("AutoScalingGroup", "EC2")
    assert stage.group() == {instance_id: "Terminating:Wait"}
    assert stage.activities()[0]["StatusCode"] == "MidTerminatingLifecycleAction"
    assert stage.activities()[0]["Progress"] == 60
    stage.around.pass_seconds(60)
    assert stage.pool() == {}
    stage.complete(action)
    stage.until_gone(instance_id)
    stage.rest(in_service=0, pooled=1)
    assert stage.heard("EC2 Instance Terminate Successful", EC2InstanceId=instance_id)


def test_an_abandoned_entry_leaves_through_the_terminate_hook_and_is_replaced(
    stage: Stage,
) -> None:
    stage.create(desired=0, max_size=1, pool={})
    (entry,) = stage.until_action("EC2", "WarmPool")
    instance_id = entry["detail"]["EC2InstanceId"]
    stage.complete(entry, ABANDON)
    (leaving,) = stage.until_action("WarmPool", "EC2")
    assert stage.pool()[instance_id] == "Warmed:Terminating:Wait"
    (activity,) = [a for a in stage.activities() if a["StatusCode"] == "Cancelled"]
    assert activity["StatusMessage"] == (
        "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
        f"{entry['detail']['LifecycleActionToken']} was abandoned: Lifecycle Action Completed "
        "with ABANDON Result"
    )
    assert stage.heard("EC2 Instance Launch Unsuccessful", EC2InstanceId=instance_id)
    stage.complete(leaving)
    stage.until_gone(instance_id)
    stage.rest(in_service=0, pooled=1)
    assert instance_id not in stage.pool()


def test_an_abandoned_wake_is_terminated_and_made_up_for(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    stage.rest(in_service=0, pooled=1)
    stage.set_desired(1)
    (wake,) = stage.until_action("WarmPool", "AutoScalingGroup")
    stage.complete(wake, ABANDON)
    (leaving,) = stage.until_action("AutoScalingGroup", "EC2")
    assert leaving["detail"]["EC2InstanceId"] == wake["detail"]["EC2InstanceId"]
    stage.complete(leaving)
    stage.rest(in_service=1, pooled=0)
    assert wake["detail"]["EC2InstanceId"] not in stage.group()


def test_an_unhealthy_stopped_member_leaves_through_the_terminate_hook_and_is_replaced(
    stage: Stage,
) -> None:
    stage.create(desired=0, max_size=1, pool={})
    stage.rest(in_service=0, pooled=1)
    (instance_id,) = stage.pool()
    stage.asg.set_instance_health(InstanceId=instance_id, HealthStatus="Unhealthy")
    (action,) = stage.until_action("WarmPool", "EC2")
    assert stage.pool()[instance_id] == "Warmed:Terminating:Wait"
    stage.complete(action)
    stage.until_gone(instance_id)
    stage.rest(in_service=0, pooled=1)


def test_a_stopped_instance_that_cannot_start_is_not_kept(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    stage.rest(in_service=0, pooled=1)
    (instance_id,) = stage.pool()
    stage.around.set_capacity(available=False)
    stage.set_desired(1)
    stage.until_gone(instance_id)
    failed = stage.heard("EC2 Instance Launch Unsuccessful", EC2InstanceId=instance_id)
    assert len(failed) == 1
    assert failed[0]["detail"]["StatusCode"] == "Failed"
    assert failed[0]["detail"]["Origin"] == "WarmPool"
    assert "InsufficientInstanceCapacity" in failed[0]["detail"]["StatusMessage"]
    stage.around.set_capacity(available=True)
    stage.until_action("EC2", "AutoScalingGroup")
    stage.rest(in_service=1, pooled=0)


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


def test_nothing_leaves_when_every_member_is_protected(stage: Stage) -> None:
    stage.create(desired=2, max_size=2, NewInstancesProtectedFromScaleIn=True)
    stage.rest(in_service=2, pooled=0)
    stage.set_desired(1)

    def cancelled() -> list[str]:
        return [a["StatusMessage"] for a in stage.activities() if a["StatusCode"] == "Cancelled"]

    stage.until(lambda: bool(cancelled()), "a cancelled activity")
    stage.around.pass_seconds(120)
    assert stage.describe()["DesiredCapacity"] == 1
    assert list(stage.group().values()) == ["InService", "InService"]
    (message,) = cancelled()
    assert "all remaining instances are protected from scale-in" in message
    idle = sorted(stage.group())[0]
    stage.asg.set_instance_protection(
        AutoScalingGroupName=stage.name, InstanceIds=[idle], ProtectedFromScaleIn=False
    )
    (action,) = stage.until_action("AutoScalingGroup", "EC2")
    assert action["detail"]["EC2InstanceId"] == idle


def test_a_pool_with_members_is_deleted_only_by_force_and_through_the_hooks(stage: Stage) -> None:
    stage.create(desired=0, max_size=2, pool={})
    stage.rest(in_service=0, pooled=2)
    with pytest.raises(ClientError) as error:
        stage.asg.delete_warm_pool(AutoScalingGroupName=stage.name)
    assert refused(error)[0] == "ResourceInUse"
    stage.asg.delete_warm_pool(AutoScalingGroupName=stage.name, ForceDelete=True)
    configuration = stage.describe_pool()["WarmPoolConfiguration"]
    assert configuration["Status"] == "PendingDelete"
    assert (configuration["MinSize"], configuration["MaxGroupPreparedCapacity"]) == (0, 0)
    for action in stage.until_action("WarmPool", "EC2", 2):
        stage.complete(action)
    stage.until(lambda: "WarmPoolConfiguration" not in stage.describe(), "the pool is gone")
    assert stage.pool() == {}


def test_deleting_a_group_by_force_waits_for_the_terminate_hooks(stage: Stage) -> None:
    stage.create(desired=1, max_size=2, pool={})
    stage.rest(in_service=1, pooled=1)
    with pytest.raises(ClientError) as error:
        stage.asg.delete_auto_scaling_group(AutoScalingGroupName=stage.name)
    assert refused(error)[0] == "ResourceInUse"
    stage.asg.delete_auto_scaling_group(AutoScalingGroupName=stage.name, ForceDelete=True)
    (pooled,) = stage.until_action("WarmPool", "EC2")
    (serving,) = stage.until_action("AutoScalingGroup", "EC2")
    stage.around.pass_seconds(60)
    assert stage.describe()["Status"] == "Delete in progress"
    with pytest.raises(ClientError) as error:
        stage.asg.set_desired_capacity(AutoScalingGroupName=stage.name, DesiredCapacity=1)
    assert refused(error)[0] == "ScalingActivityInProgress"
    stage.complete(pooled)
    stage.complete(serving)
    assert stage.around.poll(lambda: not stage.describe()), "the group never went"


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


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_an_instance_lost_in_ec2_is_replaced_from_the_pool(stage: Stage, state: str) -> None:
    stage.create(desired=1, max_size=2, pool={})
    stage.rest(in_service=1, pooled=1)
    (lost,), (warm,) = stage.group(), stage.pool()
    stage.around.lose_machine(lost, state)
    (wake,) = stage.until_action("WarmPool", "AutoScalingGroup")
    assert wake["detail"]["EC2InstanceId"] == warm
    stage.rest(in_service=1, pooled=1)
    assert lost not in {**stage.group(), **stage.pool()}


def test_a_stopped_member_terminated_in_ec2_is_replaced(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    stage.rest(in_service=0, pooled=1)
    (lost,) = stage.pool()
    stage.around.lose_machine(lost, "terminated")
    stage.until(lambda: stage.pool().get(lost) != "Warmed:Stopped", f"{lost} is noticed")
    stage.rest(in_service=0, pooled=1)
    assert lost not in stage.pool()


def test_terminating_an_instance_decrements_desired_only_when_asked(stage: Stage) -> None:
    stage.create(desired=2, max_size=2, pool=REUSE)
    stage.rest(in_service=2, pooled=0)
    first, second = sorted(stage.group())
    stage.asg.terminate_instance_in_auto_scaling_group(
        InstanceId=first, ShouldDecrementDesiredCapacity=False
    )
    stage.rest(in_service=2, pooled=0)
    assert first not in stage.group()
    stage.asg.terminate_instance_in_auto_scaling_group(
        InstanceId=second, ShouldDecrementDesiredCapacity=True
    )
    assert stage.describe()["DesiredCapacity"] == 1
    stage.rest(in_service=1, pooled=1)
    assert second not in {**stage.group(), **stage.pool()}


def test_a_running_pool_keeps_its_instances_running(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={"PoolState": "Running"})
    stage.rest(in_service=0, pooled=1, pool_state="Warmed:Running")
    (instance_id,) = stage.pool()
    assert stage.around.machine_state(instance_id) == "running"
    stage.set_desired(1)
    stage.until_action("WarmPool", "AutoScalingGroup")
    stage.rest(in_service=1, pooled=0)
    assert list(stage.group()) == [instance_id]


def test_a_suspended_launch_reserves_the_warm_instance(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    stage.rest(in_service=0, pooled=1)
    (instance_id,) = stage.pool()
    stage.asg.suspend_processes(AutoScalingGroupName=stage.name, ScalingProcesses=["Launch"])
    stage.set_desired(1)
    stage.around.pass_seconds(120)
    assert stage.pool() == {instance_id: "Warmed:Stopped"}
    stage.asg.resume_processes(AutoScalingGroupName=stage.name, ScalingProcesses=["Launch"])
    stage.rest(in_service=1, pooled=0)
    assert list(stage.group()) == [instance_id]


def test_a_smaller_pool_is_trimmed_and_omitted_settings_stay(stage: Stage) -> None:
    stage.create(desired=0, max_size=2, pool={"MinSize": 1, **REUSE})
    stage.rest(in_service=0, pooled=2)
    stage.asg.put_warm_pool(AutoScalingGroupName=stage.name, MaxGroupPreparedCapacity=1)
    stage.rest(in_service=0, pooled=1)
    configuration = stage.describe_pool()["WarmPoolConfiguration"]
    assert configuration["MinSize"] == 1
    assert configuration["MaxGroupPreparedCapacity"] == 1
    assert configuration["InstanceReusePolicy"] == {"ReuseOnScaleIn": True}
    stage.asg.put_warm_pool(AutoScalingGroupName=stage.name, MaxGroupPreparedCapacity=-1)
    assert "MaxGroupPreparedCapacity" not in stage.describe_pool()["WarmPoolConfiguration"]
    stage.rest(in_service=0, pooled=2)


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
