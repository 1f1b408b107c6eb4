"""How many a refresh replaces at once, and when it gives up."""

from __future__ import annotations

import pytest

from local.group.instance import Instance, Launched
from local.group.refresh_record import Place, RefreshPreferences, allowances, next_step
from local.group.settings import Placement
from local.group.states import LAUNCH, LifecycleState
from tests.scenario_stage import Stage
from tests.virtual_scenario import VirtualSurroundings
from tests.warm_pool_scenarios.refreshing import launch_from, members, newest, start, until_status

HOUR_SECONDS = 3600


@pytest.fixture
def stage() -> Stage:
    return Stage(VirtualSurroundings(), "workers")


@pytest.mark.parametrize(
    ("size", "least", "most", "below", "above"),
    [
        pytest.param(10, 90, None, 1, 0, id="a tenth leaves at once"),
        pytest.param(1, 90, None, 1, 0, id="the only one leaves while another is launched"),
        pytest.param(100, 90, 120, 10, 20, id="both percentages are used"),
        pytest.param(1, 100, 110, 0, 1, id="with no room for a whole one, one is launched first"),
        pytest.param(1, 90, 100, 0, 1, id="a maximum of 100 is not the same as none"),
        pytest.param(10, 100, None, 0, 1, id="all stay healthy, so one is launched first"),
        pytest.param(20, 100, 110, 0, 2, id="a tenth is launched first"),
        pytest.param(4, 0, None, 4, 0, id="all at once"),
    ],
)
def test_how_many_may_be_missing_and_too_many(
    size: int, least: int, most: int | None, below: int, above: int
) -> None:
    assert allowances(size, RefreshPreferences(least, most)) == (below, above)


@pytest.mark.parametrize(
    ("size", "ready", "outdated", "free", "take", "ahead"),
    [
        pytest.param(1, 1, 1, 1, 0, 1, id="another is launched first"),
        pytest.param(1, 2, 1, 1, 1, 0, id="it is ready, so the old one leaves"),
        pytest.param(1, 2, 1, 0, 0, 1, id="it is ready, and the old one works on"),
        pytest.param(0, 1, 1, 1, 1, 0, id="nobody is wanted: nothing is launched for it"),
        pytest.param(3, 4, 2, 2, 1, 1, id="one after the other"),
    ],
)
def test_a_step_keeps_all_healthy(
    size: int, ready: int, outdated: int, free: int, take: int, ahead: int
) -> None:
    place = Place(size, ready, outdated, tuple(instance(number) for number in range(free)))
    step = next_step(place, RefreshPreferences(100, 110))
    assert (len(step.take), step.ahead) == (take, ahead)


def instance(number: int) -> Instance:
    launched = Launched(f"i-{number}")
    return Instance(
        launched, Placement("a", "1", "s"), 0.0, LAUNCH, None, LifecycleState.IN_SERVICE
    )  # type: ignore[arg-type]


def busy_group(stage: Stage) -> str:
    """One protected instance in service, one asleep, and another launch template; its id."""
    stage.create(desired=1, max_size=2, pool={}, NewInstancesProtectedFromScaleIn=True)
    stage.rest(in_service=1, pooled=1)
    launch_from(stage, stage.around.new_template())
    return next(iter(stage.group()))


def test_a_refresh_fails_when_what_it_waits_for_is_protected_for_an_hour(stage: Stage) -> None:
    busy_group(stage)
    before = members(stage)
    start(stage, {"SkipMatching": True})
    stage.around.pass_seconds(HOUR_SECONDS - 60)
    assert newest(stage)["Status"] == "InProgress"
    stage.around.pass_seconds(120)
    assert newest(stage)["Status"] == "Failed"
    assert "protected from scale-in" in newest(stage)["StatusReason"]
    assert members(stage) == before
    assert stage.heard("EC2 Auto Scaling Instance Refresh Failed")


def test_each_replacement_gives_it_another_hour(stage: Stage) -> None:
    stage.create(desired=2, max_size=2, NewInstancesProtectedFromScaleIn=True)
    stage.rest(in_service=2, pooled=0)
    launch_from(stage, stage.around.new_template())
    start(stage, {"SkipMatching": True})
    for instance_id in list(stage.group()):
        stage.around.pass_seconds(HOUR_SECONDS - 60)
        stage.asg.set_instance_protection(
            AutoScalingGroupName=stage.name, InstanceIds=[instance_id], ProtectedFromScaleIn=False
        )
        stage.until(lambda old=instance_id: is_gone(stage, old), "its replacement")
        stage.rest(in_service=2, pooled=0)
    until_status(stage, "Successful")


def is_gone(stage: Stage, instance_id: str) -> bool:
    stage.complete_all()
    return instance_id not in stage.group()


def test_launches_that_fail_for_an_hour_fail_it_and_the_old_template_stays(stage: Stage) -> None:
    stage.create(desired=1, max_size=1, pool={})
    stage.rest(in_service=1, pooled=0)
    before = stage.describe()["LaunchTemplate"]
    template = stage.around.new_template()
    start(stage, {"SkipMatching": True}, DesiredConfiguration={"LaunchTemplate": template})
    stage.around.set_capacity(available=False)
    drains = stage.until_action("AutoScalingGroup", "EC2")
    stage.complete(drains[0])
    stage.around.pass_seconds(2 * HOUR_SECONDS)
    assert newest(stage)["Status"] == "Failed"
    assert "new instances" in newest(stage)["StatusReason"]
    assert stage.describe()["LaunchTemplate"] == before


def test_a_replacement_has_to_warm_up_before_the_next_one_leaves(stage: Stage) -> None:
    stage.create(desired=2, max_size=2, HealthCheckGracePeriod=300)
    stage.rest(in_service=2, pooled=0)
    old = set(stage.group())
    launch_from(stage, stage.around.new_template())
    start(stage, {"SkipMatching": True})
    stage.until_action("AutoScalingGroup", "EC2")
    stage.rest(in_service=2, pooled=0)
    stage.around.pass_seconds(240)
    assert len(old & members(stage)) == 1
    until_status(stage, "Successful")
    assert not old & members(stage)


def test_a_sleeper_that_is_outdated_makes_up_for_nothing_but_is_woken_for_more(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=2, pool={})
    stage.rest(in_service=1, pooled=1)
    (serving,), (sleeping,) = stage.group(), stage.pool()
    launch_from(stage, stage.around.new_template())
    start(stage, {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, "SkipMatching": True})
    stage.until_action("EC2", "AutoScalingGroup")
    assert stage.pool() == {sleeping: "Warmed:Stopped"}
    stage.set_desired(2)
    (waking,) = stage.until_action("WarmPool", "AutoScalingGroup")
    assert waking["detail"]["EC2InstanceId"] == sleeping
    until_status(stage, "Successful")
    assert members(stage).isdisjoint({serving, sleeping})


def test_a_deleted_group_ends_its_refresh(stage: Stage) -> None:
    busy_group(stage)
    start(stage, {"SkipMatching": True})
    stage.around.pass_seconds(30)
    stage.asg.delete_auto_scaling_group(AutoScalingGroupName=stage.name, ForceDelete=True)
    leaving = stage.until_action("WarmPool", "EC2") + stage.until_action("AutoScalingGroup", "EC2")
    for action in leaving:
        stage.complete(action)
    assert stage.around.poll(lambda: not stage.describe()), "the group never went"
    assert stage.heard("EC2 Auto Scaling Instance Refresh Cancelled")


@pytest.mark.parametrize(
    ("preferences", "said"),
    [
        ({"MaxHealthyPercentage": 110}, "requires MinHealthyPercentage"),
        ({"MinHealthyPercentage": 50, "MaxHealthyPercentage": 160}, "greater than 100"),
        ({"AutoRollback": True, "BakeTime": 60}, "AutoRollback, BakeTime"),
    ],
)
def test_what_cannot_be_done_is_refused(
    preferences: dict[str, object], said: str, stage: Stage
) -> None:
    stage.create(desired=0, max_size=1)
    with pytest.raises(Exception, match=said):
        start(stage, preferences)
