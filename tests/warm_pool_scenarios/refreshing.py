"""Instance refreshes: outdated instances are replaced, in service first, then in the pool."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scenario_stage import Stage, refused

SKIP_MATCHING = {"SkipMatching": True}
LAUNCH_FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, **SKIP_MATCHING}
EVENT = "EC2 Auto Scaling Instance Refresh"


def start(stage: Stage, preferences: dict[str, Any], **more: Any) -> str:
    answer = stage.asg.start_instance_refresh(
        AutoScalingGroupName=stage.name, Preferences=preferences, **more
    )
    return str(answer["InstanceRefreshId"])


def newest(stage: Stage) -> dict[str, Any]:
    found = stage.asg.describe_instance_refreshes(AutoScalingGroupName=stage.name)
    described: list[dict[str, Any]] = found["InstanceRefreshes"]
    return described[0]


def until_status(stage: Stage, status: str) -> None:
    """Complete every action with CONTINUE until the newest refresh has this status."""

    def reached() -> bool:
        stage.complete_all()
        return bool(newest(stage)["Status"] == status)

    stage.until(reached, f"an instance refresh that is {status}")


def launch_from(stage: Stage, template: dict[str, Any]) -> None:
    stage.asg.update_auto_scaling_group(AutoScalingGroupName=stage.name, LaunchTemplate=template)


def members(stage: Stage) -> set[str]:
    return {*stage.group(), *stage.pool()}


def versions(stage: Stage) -> set[str]:
    instances = [*stage.describe()["Instances"], *stage.describe_pool()["Instances"]]
    return {it["LaunchTemplate"]["Version"] for it in instances}


def test_a_refresh_replaces_what_is_in_service_and_then_the_pool_through_their_hooks(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=2, pool={})
    stage.rest(in_service=1, pooled=1)
    (serving,), (sleeping,) = stage.group(), stage.pool()
    template = stage.around.new_template()
    launch_from(stage, template)
    refresh_id = start(stage, SKIP_MATCHING)
    (drain,) = stage.until_action("AutoScalingGroup", "EC2")
    assert drain["detail"]["EC2InstanceId"] == serving
    under_way = newest(stage)
    assert (under_way["Status"], under_way["InstancesToUpdate"]) == ("InProgress", 2)
    assert stage.pool() == {sleeping: "Warmed:Stopped"}
    until_status(stage, "Successful")
    assert members(stage).isdisjoint({serving, sleeping})
    assert versions(stage) == {template["Version"]}
    stage.rest(in_service=1, pooled=1)
    done = newest(stage)
    assert (done["PercentageComplete"], done["InstancesToUpdate"]) == (100, 0)
    assert done["ProgressDetails"]["WarmPoolProgress"]["PercentageComplete"] == 100
    leaving = [
        it["Description"][-19:] for it in stage.activities() if "Terminating" in it["Description"]
    ]
    assert leaving == [sleeping, serving]  # newest first
    stage.until(
        lambda: bool(stage.heard(f"{EVENT} Succeeded", InstanceRefreshId=refresh_id)), "its event"
    )
    assert stage.heard(f"{EVENT} Started", InstanceRefreshId=refresh_id)


def test_what_matches_is_skipped(stage: Stage) -> None:
    stage.create(desired=1, max_size=2, pool={})
    stage.rest(in_service=1, pooled=1)
    before = members(stage)
    start(stage, SKIP_MATCHING)
    until_status(stage, "Successful")
    assert members(stage) == before
    start(stage, {})
    until_status(stage, "Successful")
    assert members(stage).isdisjoint(before)


def test_where_all_must_stay_healthy_one_is_launched_before_another_leaves(stage: Stage) -> None:
    stage.create(desired=1, max_size=1)
    stage.rest(in_service=1, pooled=0)
    (old,) = stage.group()
    launch_from(stage, stage.around.new_template())
    start(stage, LAUNCH_FIRST)
    (ready,) = stage.until_action("EC2", "AutoScalingGroup")
    new = ready["detail"]["EC2InstanceId"]
    assert stage.group() == {old: "InService", new: "Pending:Wait"}
    stage.complete(ready)
    (drain,) = stage.until_action("AutoScalingGroup", "EC2")
    assert stage.group() == {old: "Terminating:Wait", new: "InService"}
    stage.complete(drain)
    until_status(stage, "Successful")
    stage.until_gone(old)
    assert stage.group() == {new: "InService"}


def test_a_protected_instance_is_waited_for_and_the_pool_with_it(stage: Stage) -> None:
    stage.create(desired=1, max_size=2, pool={}, NewInstancesProtectedFromScaleIn=True)
    stage.rest(in_service=1, pooled=1)
    before = {**stage.group(), **stage.pool()}
    (serving,) = stage.group()
    launch_from(stage, stage.around.new_template())
    start(stage, SKIP_MATCHING)
    stage.around.pass_seconds(120)
    assert {**stage.group(), **stage.pool()} == before
    stage.asg.set_instance_protection(
        AutoScalingGroupName=stage.name, InstanceIds=[serving], ProtectedFromScaleIn=False
    )
    until_status(stage, "Successful")
    assert members(stage).isdisjoint(before)


@pytest.mark.parametrize("behaviour", ["Refresh", "Ignore"])
def test_protected_instances_are_replaced_or_left_out_when_asked_for(
    behaviour: str, stage: Stage
) -> None:
    stage.create(desired=1, max_size=2, pool={}, NewInstancesProtectedFromScaleIn=True)
    stage.rest(in_service=1, pooled=1)
    (serving,), (sleeping,) = stage.group(), stage.pool()
    launch_from(stage, stage.around.new_template())
    start(stage, {**SKIP_MATCHING, "ScaleInProtectedInstances": behaviour})
    until_status(stage, "Successful")
    assert sleeping not in members(stage)
    assert (serving in members(stage)) is (behaviour == "Ignore")


@pytest.mark.parametrize("process", ["Launch", "Terminate", "InstanceRefresh"])
def test_nothing_is_replaced_while_a_process_of_it_is_suspended(process: str, stage: Stage) -> None:
    stage.create(desired=1, max_size=1, pool={})
    stage.rest(in_service=1, pooled=0)
    before = stage.group()
    group = {"AutoScalingGroupName": stage.name, "ScalingProcesses": [process]}
    launch_from(stage, stage.around.new_template())
    stage.asg.suspend_processes(**group)
    start(stage, SKIP_MATCHING)
    stage.around.pass_seconds(120)
    assert stage.group() == before
    assert newest(stage)["Status"] == "InProgress"
    stage.asg.resume_processes(**group)
    until_status(stage, "Successful")
    assert members(stage).isdisjoint(before)


def test_the_pool_keeps_its_sizes_and_no_other_refresh_begins_during_one(stage: Stage) -> None:
    stage.create(desired=1, max_size=2, pool={}, NewInstancesProtectedFromScaleIn=True)
    stage.rest(in_service=1, pooled=1)
    start(stage, {})
    with pytest.raises(ClientError) as error:
        stage.asg.put_warm_pool(AutoScalingGroupName=stage.name, MinSize=2)
    assert refused(error)[0] == "InstanceRefreshInProgress"
    with pytest.raises(ClientError) as error:
        start(stage, {})
    assert refused(error)[0] == "InstanceRefreshInProgress"


def test_a_cancelled_refresh_waits_for_what_is_on_its_way_and_leaves_the_rest(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=2, pool={})
    stage.rest(in_service=1, pooled=1)
    (serving,), (sleeping,) = stage.group(), stage.pool()
    refresh_id = start(stage, {})
    stage.until_action("AutoScalingGroup", "EC2")
    cancelled = stage.asg.cancel_instance_refresh(AutoScalingGroupName=stage.name)
    assert cancelled["InstanceRefreshId"] == refresh_id
    assert newest(stage)["Status"] == "Cancelling"
    until_status(stage, "Cancelled")
    assert sleeping in members(stage)
    assert serving not in members(stage)
    with pytest.raises(ClientError) as error:
        stage.asg.cancel_instance_refresh(AutoScalingGroupName=stage.name)
    assert refused(error)[0] == "ActiveInstanceRefreshNotFound"
    stage.asg.put_warm_pool(AutoScalingGroupName=stage.name, MinSize=0)


def test_a_desired_configuration_becomes_the_group_s_own_when_the_refresh_succeeds(
    stage: Stage,
) -> None:
    stage.create(desired=1, max_size=1, pool={})
    stage.rest(in_service=1, pooled=0)
    before = stage.describe()["LaunchTemplate"]
    template = stage.around.new_template()
    start(stage, SKIP_MATCHING, DesiredConfiguration={"LaunchTemplate": template})
    assert stage.describe()["LaunchTemplate"] == before
    with pytest.raises(ClientError, match="An active instance refresh with a desired config"):
        launch_from(stage, template)
    until_status(stage, "Successful")
    assert stage.describe()["LaunchTemplate"]["Version"] == template["Version"]
    assert versions(stage) == {template["Version"]}
