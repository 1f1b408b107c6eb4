"""What an alarm in state ALARM makes of a scaling policy, minute after minute."""

from __future__ import annotations

import pytest

from local.services.autoscaling_policies import execute_by_alarm
from tests.scenario_stage import Stage
from tests.virtual_scenario import VirtualSurroundings


@pytest.fixture
def around() -> VirtualSurroundings:
    return VirtualSurroundings()


@pytest.fixture
def stage(around: VirtualSurroundings) -> Stage:
    stage = Stage(around, "workers")
    stage.create(desired=0, max_size=5)
    return stage


def put(stage: Stage, **policy: object) -> str:
    arn: str = stage.asg.put_scaling_policy(
        AutoScalingGroupName=stage.name,
        PolicyName="more",
        AdjustmentType="ChangeInCapacity",
        **policy,
    )["PolicyARN"]
    return arn


def alarm(around: VirtualSurroundings, policy_arn: str) -> None:
    execute_by_alarm(around.service, policy_arn, "backlog", 7.0, 5.0)


def test_a_simple_policy_waits_for_its_activity_and_the_cooldown_after_it(
    stage: Stage, around: VirtualSurroundings
) -> None:
    policy = put(stage, ScalingAdjustment=1, Cooldown=120)
    alarm(around, policy)
    stage.until_action("EC2", "AutoScalingGroup")
    around.pass_seconds(600)
    alarm(around, policy)
    assert stage.describe()["DesiredCapacity"] == 1
    stage.rest(in_service=1, pooled=0)
    around.pass_seconds(100)
    alarm(around, policy)
    assert stage.describe()["DesiredCapacity"] == 1
    around.pass_seconds(30)
    alarm(around, policy)
    assert stage.describe()["DesiredCapacity"] == 2


def test_the_cause_names_alarm_and_policy(stage: Stage, around: VirtualSurroundings) -> None:
    alarm(around, put(stage, ScalingAdjustment=2))
    stage.until_action("EC2", "AutoScalingGroup", 2)
    assert (
        "a monitor alarm backlog in state ALARM triggered policy more changing the desired "
        "capacity from 0 to 2"
    ) in stage.activities()[0]["Cause"]


def test_a_step_policy_acts_each_time(stage: Stage, around: VirtualSurroundings) -> None:
    steps = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    policy = put(stage, PolicyType="StepScaling", StepAdjustments=steps)
    alarm(around, policy)
    alarm(around, policy)
    assert stage.describe()["DesiredCapacity"] == 2


def test_suspended_notifications_and_disabled_policies_do_nothing(
    stage: Stage, around: VirtualSurroundings
) -> None:
    alarm(around, put(stage, ScalingAdjustment=1, Enabled=False))
    policy = put(stage, ScalingAdjustment=1)
    stage.asg.suspend_processes(
        AutoScalingGroupName=stage.name, ScalingProcesses=["AlarmNotification"]
    )
    alarm(around, policy)
    assert stage.describe()["DesiredCapacity"] == 0
