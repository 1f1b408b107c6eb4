"""How long an instance waits for its hooks, to the second."""

from __future__ import annotations

from itertools import count

import pytest
from botocore.exceptions import ClientError

from local.group.actions import HEARTBEAT_TIMEOUT, LifecycleActions
from local.group.clock import VirtualClock
from local.group.settings import ABANDON, Hook
from local.group.states import HookKind
from tests.scenario_stage import CONTINUE, Stage
from tests.virtual_scenario import VirtualSurroundings


@pytest.fixture
def stage() -> Stage:
    return Stage(VirtualSurroundings(), "workers")


def beat(stage: Stage, instance_id: str) -> None:
    stage.asg.record_lifecycle_action_heartbeat(
        AutoScalingGroupName=stage.name, LifecycleHookName="ready", InstanceId=instance_id
    )


def entering(stage: Stage, heartbeat: int) -> str:
    """An instance whose launch action opened within the last second."""
    stage.create(desired=0, max_size=1, pool={}, heartbeat=heartbeat)
    (action,) = stage.until_action("EC2", "WarmPool")
    return str(action["detail"]["EC2InstanceId"])


def test_a_wait_ends_with_the_default_result_when_its_heartbeat_runs_out(stage: Stage) -> None:
    instance_id = entering(stage, heartbeat=30)
    stage.around.pass_seconds(28)
    assert stage.pool() == {instance_id: "Warmed:Pending:Wait"}
    stage.around.pass_seconds(4)
    assert stage.pool()[instance_id] == "Warmed:Terminating:Wait"
    (activity,) = [a for a in stage.activities() if a["StatusCode"] == "Cancelled"]
    assert activity["StatusMessage"].endswith("was abandoned: Heartbeat Timeout")


def test_a_launch_that_is_held_is_found_by_its_status(stage: Stage) -> None:
    instance_id = entering(stage, heartbeat=300)

    def with_filter(name: str, value: str) -> list[str]:
        found = stage.asg.describe_scaling_activities(
            AutoScalingGroupName=stage.name, Filters=[{"Name": name, "Values": [value]}]
        )
        return [it["Description"] for it in found["Activities"]]

    assert with_filter("Status", "Successful") == []
    assert with_filter("Status", "MidLifecycleAction") == [
        f"Launching a new EC2 instance into warm pool: {instance_id}"
    ]
    with pytest.raises(ClientError, match="only Status of a group"):
        with_filter("StartTimeLowerBound", "2026-01-01T00:00:00Z")


def test_a_terminate_hook_that_runs_out_continues(stage: Stage) -> None:
    instance_id = entering(stage, heartbeat=30)
    stage.around.pass_seconds(32 + 60)
    stage.until_gone(instance_id)


def test_each_wait_ends_at_its_own_time_whichever_began_first() -> None:
    clock, ended, numbers = VirtualClock(), [], count()
    actions = LifecycleActions(
        clock,
        lambda: str(next(numbers)),
        lambda action, *how: ended.append((clock.now(), action.instance_id, *how)),
    )
    slow, quick = (Hook("ready", HookKind.LAUNCHING, seconds) for seconds in (300, 30))
    actions.open("slow", [slow])
    actions.open("quick", [quick])
    clock.run_until(10.0)
    actions.open("later", [quick])
    actions.open("beaten", [quick])
    clock.run_until(20.0)
    actions.heartbeat("ready", None, "beaten")
    clock.run_until(1000.0)
    assert ended == [
        (when, instance_id, ABANDON, HEARTBEAT_TIMEOUT)
        for when, instance_id in ((30, "quick"), (40, "later"), (50, "beaten"), (300, "slow"))
    ]


def test_a_heartbeat_restarts_the_timeout(stage: Stage) -> None:
    instance_id = entering(stage, heartbeat=100)
    stage.around.pass_seconds(60)
    beat(stage, instance_id)
    stage.around.pass_seconds(98)
    assert stage.pool() == {instance_id: "Warmed:Pending:Wait"}
    stage.around.pass_seconds(4)
    assert stage.pool()[instance_id] == "Warmed:Terminating:Wait"


@pytest.mark.parametrize(
    ("heartbeat", "limit"),
    [
        pytest.param(30, 3000, id="a hundred heartbeats"),
        pytest.param(7200, 172_800, id="48 hours"),
    ],
)
def test_heartbeats_keep_an_instance_waiting_no_longer_than_the_global_timeout(
    stage: Stage, heartbeat: int, limit: int
) -> None:
    instance_id = entering(stage, heartbeat)
    (hook,) = stage.asg.describe_lifecycle_hooks(
        AutoScalingGroupName=stage.name, LifecycleHookNames=["ready"]
    )["LifecycleHooks"]
    assert hook["GlobalTimeout"] == limit
    step = heartbeat // 2
    for _ in range(2 * limit // step):
        stage.around.pass_seconds(step)
        if stage.pool() != {instance_id: "Warmed:Pending:Wait"}:
            break
        beat(stage, instance_id)
    waited = stage.around.clock.now() - _opened_at(stage)  # type: ignore[attr-defined]
    assert limit - 1 <= waited <= limit + step + 1


def test_a_completion_that_comes_too_late_is_refused(stage: Stage) -> None:
    entering(stage, heartbeat=30)
    (action,) = stage.open_actions()
    stage.around.pass_seconds(31)
    with pytest.raises(ClientError, match="No active Lifecycle Action found with token"):
        stage.complete(action)


def test_every_hook_of_a_pause_must_continue_before_the_instance_does(stage: Stage) -> None:
    stage.create(desired=0, max_size=1)
    stage.asg.put_lifecycle_hook(
        AutoScalingGroupName=stage.name,
        LifecycleHookName="registered",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
    )
    stage.set_desired(1)
    first, second = stage.until_action("EC2", "AutoScalingGroup", 2)
    assert first["detail"]["LifecycleActionToken"] != second["detail"]["LifecycleActionToken"]
    stage.complete(first)
    stage.around.pass_seconds(30)
    assert list(stage.group().values()) == ["Pending:Wait"]
    stage.complete(second)
    stage.rest(in_service=1, pooled=0)


def test_without_hooks_nothing_waits(stage: Stage) -> None:
    stage.create(desired=1, max_size=1)
    for name in ("ready", "drain"):
        stage.asg.delete_lifecycle_hook(AutoScalingGroupName=stage.name, LifecycleHookName=name)
    stage.rest(in_service=1, pooled=0)
    stage.set_desired(0)
    stage.rest(in_service=0, pooled=0)
    assert not stage.heard("EC2 Instance-launch Lifecycle Action")


def test_a_token_of_another_hook_completes_nothing(stage: Stage) -> None:
    stage.create(desired=1, max_size=1)
    (action,) = stage.until_action("EC2", "AutoScalingGroup")
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        stage.asg.complete_lifecycle_action(
            AutoScalingGroupName=stage.name,
            LifecycleHookName="drain",
            LifecycleActionToken=action["detail"]["LifecycleActionToken"],
            LifecycleActionResult=CONTINUE,
        )
    assert list(stage.group().values()) == ["Pending:Wait"]


def _opened_at(stage: Stage) -> float:
    """When the first instance of the stage began to wait, by the recorded delays."""
    activity = stage.activities()[-1]
    return float(activity["StartTime"].timestamp()) + 6.0


def test_metadata_of_a_hook_travels_with_its_actions(stage: Stage) -> None:
    stage.create(desired=0, max_size=1)
    stage.asg.put_lifecycle_hook(
        AutoScalingGroupName=stage.name,
        LifecycleHookName="ready",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        NotificationMetadata="stack=demo",
    )
    stage.set_desired(1)
    (action,) = stage.until_action("EC2", "AutoScalingGroup")
    assert action["detail"]["NotificationMetadata"] == "stack=demo"


def test_targets_are_the_steady_states_an_instance_goes_to(stage: Stage) -> None:
    around = stage.around
    assert isinstance(around, VirtualSurroundings)
    stage.create(desired=0, max_size=1, pool={"InstanceReusePolicy": {"ReuseOnScaleIn": True}})
    (entry,) = stage.until_action("EC2", "WarmPool")
    instance_id = entry["detail"]["EC2InstanceId"]
    assert around.targets[instance_id] == "Warmed:Stopped"
    stage.rest(in_service=0, pooled=1)
    stage.set_desired(1)
    stage.until_action("WarmPool", "AutoScalingGroup")
    assert around.targets[instance_id] == "InService"
    stage.rest(in_service=1, pooled=0)
    stage.set_desired(0)
    stage.until_action("AutoScalingGroup", "WarmPool")
    assert around.targets[instance_id] == "Warmed:Stopped"
    stage.rest(in_service=0, pooled=1)
    stage.set_desired(1)
    stage.rest(in_service=1, pooled=0)
    stage.asg.terminate_instance_in_auto_scaling_group(
        InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
    )
    stage.until_action("AutoScalingGroup", "EC2")
    assert around.targets[instance_id] == "Terminated"
    stage.rest(in_service=1, pooled=0)
    assert around.targets[instance_id] is None
