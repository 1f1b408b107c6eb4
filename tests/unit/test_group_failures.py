"""Launches that fail: how the group tries again, where and how fast."""

from __future__ import annotations

import pytest

from tests.scenario_stage import ABANDON, Stage
from tests.virtual_scenario import ZONES, VirtualSurroundings


@pytest.fixture
def around() -> VirtualSurroundings:
    return VirtualSurroundings()


@pytest.fixture
def stage(around: VirtualSurroundings) -> Stage:
    return Stage(around, "workers")


def test_a_zone_without_capacity_is_left_for_another(
    stage: Stage, around: VirtualSurroundings
) -> None:
    stage.create(desired=0, max_size=4)
    around.machines[0].without_capacity = {ZONES[0].zone}
    stage.set_desired(4)
    stage.rest(in_service=4, pooled=0)
    zones = {stage.member(instance_id)["AvailabilityZone"] for instance_id in stage.group()}
    assert zones == {ZONES[1].zone}
    (refused,) = stage.heard("EC2 Instance Launch Unsuccessful")
    assert "do not have sufficient capacity" in refused["detail"]["StatusMessage"]
    assert refused["detail"]["EC2InstanceId"] == ""


def test_launches_without_any_capacity_become_rarer_but_never_end(
    stage: Stage, around: VirtualSurroundings
) -> None:
    stage.create(desired=0, max_size=1)
    around.set_capacity(available=False)
    stage.set_desired(1)
    around.pass_seconds(600)
    in_ten_minutes = len(stage.activities())
    around.pass_seconds(3600)
    in_the_next_hour = len(stage.activities()) - in_ten_minutes
    assert 4 <= in_ten_minutes <= 10
    assert 3 <= in_the_next_hour <= 6
    around.set_capacity(available=True)
    stage.rest(in_service=1, pooled=0)


def test_a_setup_that_always_fails_does_not_launch_without_end(stage: Stage) -> None:
    stage.create(desired=0, max_size=1, pool={})
    entries: set[str] = set()
    for _ in range(3600):
        for action in stage.open_actions():
            entering = action["detail"]["Destination"] == "WarmPool"
            entries.update([action["detail"]["EC2InstanceId"]] if entering else [])
            stage.complete(action, ABANDON if entering else "CONTINUE")
        stage.around.pass_seconds(1)
    assert 5 <= len(entries) <= 12


def test_a_success_ends_the_back_off(stage: Stage, around: VirtualSurroundings) -> None:
    stage.create(desired=0, max_size=2)
    around.set_capacity(available=False)
    stage.set_desired(1)
    around.pass_seconds(1200)
    around.set_capacity(available=True)
    stage.rest(in_service=1, pooled=0)
    began = around.clock.now()
    stage.set_desired(2)
    stage.rest(in_service=2, pooled=0)
    assert around.clock.now() - began < 20


def test_instances_that_fail_together_count_as_one_failure(
    stage: Stage, around: VirtualSurroundings
) -> None:
    stage.create(desired=0, max_size=50, pool={})
    stage.rest(in_service=0, pooled=50)
    around.set_capacity(available=False)
    stage.set_desired(50)
    stage.until(lambda: not stage.group() and not stage.pool(), "all are lost")
    around.set_capacity(available=True)
    began = around.clock.now()
    stage.until_action("EC2", "AutoScalingGroup", 50)
    assert around.clock.now() - began < 60


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_an_instance_lost_while_it_launches_is_a_failed_launch(
    stage: Stage, around: VirtualSurroundings, state: str
) -> None:
    stage.create(desired=1, max_size=1)
    stage.until(lambda: bool(stage.group()), "the launch")
    (lost,) = stage.group()
    around.lose_machine(lost, state)
    assert stage.heard("EC2 Instance Launch Unsuccessful", EC2InstanceId=lost)
    stage.rest(in_service=1, pooled=0)
    assert lost not in stage.group()


@pytest.mark.parametrize(
    "state", ["Warmed:Pending:Wait", "Warmed:Pending:Proceed", "Warmed:Stopped"]
)
def test_an_instance_terminated_anywhere_on_its_way_into_the_pool_is_replaced(
    stage: Stage, around: VirtualSurroundings, state: str
) -> None:
    stage.create(desired=0, max_size=1, pool={})
    (action,) = stage.until_action("EC2", "WarmPool")
    lost = action["detail"]["EC2InstanceId"]
    if state != "Warmed:Pending:Wait":
        stage.complete(action)
    stage.until_state(lost, state)
    around.lose_machine(lost, "terminated")
    stage.until(lambda: stage.pool().get(lost) != state or state.endswith("Wait"), "noticed")
    around.pass_seconds(60)
    stage.rest(in_service=0, pooled=1)
    assert lost not in stage.pool()


def test_a_worker_that_powers_itself_off_while_waiting_is_replaced_after_its_action(
    stage: Stage, around: VirtualSurroundings
) -> None:
    stage.create(desired=1, max_size=1)
    (action,) = stage.until_action("EC2", "AutoScalingGroup")
    lost = action["detail"]["EC2InstanceId"]
    around.lose_machine(lost, "stopped")
    around.pass_seconds(60)
    assert stage.group() == {lost: "Pending:Wait"}
    stage.complete(action)
    stage.until(lambda: lost not in stage.group() or len(stage.group()) == 2, "replacement")
    stage.rest(in_service=1, pooled=0)
    assert lost not in stage.group()


def test_an_instance_terminated_on_the_way_into_service_does_not_arrive(stage: Stage) -> None:
    stage.create(desired=1, max_size=1)
    (action,) = stage.until_action("EC2", "AutoScalingGroup")
    instance_id = action["detail"]["EC2InstanceId"]
    stage.complete(action)
    assert stage.group() == {instance_id: "Pending:Proceed"}
    stage.asg.terminate_instance_in_auto_scaling_group(
        InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
    )
    stage.until_state(instance_id, "Terminating:Wait")
    stage.around.pass_seconds(60)
    assert stage.group() == {instance_id: "Terminating:Wait"}
    assert not stage.heard("EC2 Instance Launch Successful")
    assert not stage.heard("EC2 Instance Terminate Successful")


def test_grace_keeps_a_young_instance_from_being_called_unhealthy(stage: Stage) -> None:
    stage.create(desired=1, max_size=1, HealthCheckGracePeriod=300)
    stage.rest(in_service=1, pooled=0)
    (instance_id,) = stage.group()
    stage.asg.set_instance_health(InstanceId=instance_id, HealthStatus="Unhealthy")
    assert stage.member(instance_id)["HealthStatus"] == "HEALTHY"
    stage.asg.set_instance_health(
        InstanceId=instance_id, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
    )
    assert stage.group() == {instance_id: "Terminating"}


def test_replacing_waits_while_it_is_suspended(stage: Stage) -> None:
    stage.create(desired=1, max_size=1)
    stage.rest(in_service=1, pooled=0)
    (instance_id,) = stage.group()
    processes = {"AutoScalingGroupName": stage.name, "ScalingProcesses": ["ReplaceUnhealthy"]}
    stage.asg.suspend_processes(**processes)
    stage.asg.set_instance_health(InstanceId=instance_id, HealthStatus="Unhealthy")
    stage.around.pass_seconds(120)
    assert stage.group() == {instance_id: "InService"}
    stage.asg.resume_processes(**processes)
    assert stage.group() == {instance_id: "Terminating"}
