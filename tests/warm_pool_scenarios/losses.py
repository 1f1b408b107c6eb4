"""What becomes of instances that are lost, unhealthy, or cannot start."""

from __future__ import annotations

import pytest

from tests.scenario_stage import Stage


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
