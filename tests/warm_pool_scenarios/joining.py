"""How instances enter the pool, wake from it and join the group."""

from __future__ import annotations

from tests.scenario_stage import ABANDON, Stage


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
