"""How instances leave the group: back to the pool, or for good."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.scenario_stage import ABANDON, Stage, refused

REUSE = {"InstanceReusePolicy": {"ReuseOnScaleIn": True}}


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
