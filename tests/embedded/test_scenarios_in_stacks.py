"""Auto Scaling resources in a CloudFormation stack: what it makes, waits for, updates, deletes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud
from tests.embedded.patience import PATIENCE_SECONDS
from tests.embedded.test_warm_pool_scenarios import EndpointSurroundings
from tests.scenario_stage import Stage


class Stack:
    """A stack that holds one group with its pool, hooks inline, beside the stage of that group."""

    def __init__(self, cloud: EmbeddedCloud, name: str) -> None:
        self.around = EndpointSurroundings(cloud, name)
        self.stage = Stage(self.around, name)
        self.name = name
        self._cloudformation = cloud.client("cloudformation")

    def template(self, **group: Any) -> dict[str, Any]:
        launch = self.around.where_to_launch()
        properties = {
            "AutoScalingGroupName": self.name,
            "MinSize": "1",
            "MaxSize": "3",
            "LaunchTemplate": {**launch["LaunchTemplate"], "Version": "1"},
            "VPCZoneIdentifier": [launch["VPCZoneIdentifier"]],
            "NewInstancesProtectedFromScaleIn": True,
            "TerminationPolicies": ["OldestInstance"],
            "MetricsCollection": [{"Granularity": "1Minute"}],
            "Tags": [{"Key": "purpose", "Value": "test", "PropagateAtLaunch": True}],
            "LifecycleHookSpecificationList": [
                {
                    "LifecycleHookName": "ready",
                    "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
                    "HeartbeatTimeout": "600",
                },
                {
                    "LifecycleHookName": "drain",
                    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                    "DefaultResult": "CONTINUE",
                },
            ],
            **group,
        }
        return {
            "Resources": {
                "Workers": {
                    "Type": "AWS::AutoScaling::AutoScalingGroup",
                    "Properties": properties,
                    "UpdatePolicy": {"AutoScalingInstanceRefresh": {"Strategy": "Rolling"}},
                },
                "Pool": {
                    "Type": "AWS::AutoScaling::WarmPool",
                    "Properties": {
                        "AutoScalingGroupName": {"Ref": "Workers"},
                        "MinSize": "1",
                        "InstanceReusePolicy": {"ReuseOnScaleIn": "true"},
                    },
                },
                "More": {
                    "Type": "AWS::AutoScaling::ScalingPolicy",
                    "Properties": {
                        "AutoScalingGroupName": {"Ref": "Workers"},
                        "AdjustmentType": "ChangeInCapacity",
                        "ScalingAdjustment": "1",
                    },
                },
            }
        }

    def create(self, **group: Any) -> None:
        body = json.dumps(self.template(**group))
        self._cloudformation.create_stack(StackName=self.name, TemplateBody=body)

    def update(self, **group: Any) -> None:
        body = json.dumps(self.template(**group))
        self._cloudformation.update_stack(StackName=self.name, TemplateBody=body)

    def delete(self) -> None:
        self._cloudformation.delete_stack(StackName=self.name)

    def status(self) -> str:
        stacks = self._cloudformation.list_stacks()["StackSummaries"]
        return next(str(s["StackStatus"]) for s in stacks if s["StackName"] == self.name)

    def reason(self) -> str:
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(str(event.get("ResourceStatusReason", "")) for event in events)

    def resource_status(self, logical_id: str) -> str:
        found = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return next(
            (str(e["ResourceStatus"]) for e in found if e["LogicalResourceId"] == logical_id), ""
        )

    def until(self, status: str) -> None:
        """Complete every lifecycle action until the stack has this status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.status() != status:
            assert time.monotonic() < deadline, f"{self.status()}, not {status}: {self.reason()}"
            self._complete_all()
            time.sleep(0.1)

    def _complete_all(self) -> None:
        try:
            self.stage.complete_all()
        except ClientError as error:
            # The group goes, or a hook with its actions, while we look.
            if "not found" not in str(error) and "No active" not in str(error):
                raise


@pytest.fixture
def stack(cloud: EmbeddedCloud, unique: Callable[[str], str]) -> Stack:
    return Stack(cloud, unique("stack"))


def test_a_pool_is_not_complete_while_a_hook_of_its_instances_is_open(stack: Stack) -> None:
    stack.create()
    entries = stack.stage.until_action("EC2", "WarmPool", 2)
    stack.around.pass_seconds(60)
    assert stack.status() == "CREATE_IN_PROGRESS"
    assert stack.resource_status("Pool") == "CREATE_IN_PROGRESS"
    stack.stage.complete(entries[0])
    stack.around.pass_seconds(60)
    assert stack.resource_status("Pool") == "CREATE_IN_PROGRESS"
    stack.until("CREATE_COMPLETE")
    stack.delete()
    stack.until("DELETE_COMPLETE")


def test_a_stack_sets_what_the_template_says_and_an_update_keeps_the_capacity(
    stack: Stack,
) -> None:
    stack.create()
    stack.until("CREATE_COMPLETE")
    group = stack.stage.describe()
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (1, 3, 1)
    assert group["TerminationPolicies"] == ["OldestInstance"]
    assert group["NewInstancesProtectedFromScaleIn"] is True
    assert "WarmPoolTotalCapacity" in {m["Metric"] for m in group["EnabledMetrics"]}
    assert {"Key": "purpose", "Value": "test"}.items() <= group["Tags"][-1].items()
    stack.stage.rest(in_service=1, pooled=2)
    stack.stage.set_desired(2)
    stack.stage.rest(in_service=2, pooled=1)
    stack.update(MaxSize="4", TerminationPolicies=["NewestInstance"])
    stack.until("UPDATE_COMPLETE")
    group = stack.stage.describe()
    assert (group["MaxSize"], group["DesiredCapacity"]) == (4, 2)
    stack.stage.rest(in_service=2, pooled=2)
    stack.delete()
    stack.until("DELETE_COMPLETE")
    assert not stack.stage.describe()


def test_max_below_min_is_refused_and_nothing_stays(stack: Stack) -> None:
    stack.create(MinSize="4")
    stack.until("ROLLBACK_COMPLETE")
    assert "Max bound, 3, must be greater than or equal to min bound, 4" in stack.reason()
    assert not stack.stage.describe()
    stack.delete()


def test_deleting_a_stack_waits_for_the_terminate_hooks(stack: Stack) -> None:
    stack.create()
    stack.until("CREATE_COMPLETE")
    stack.stage.rest(in_service=1, pooled=2)
    stack.delete()
    leaving = stack.stage.until_action("WarmPool", "EC2", 2)
    stack.around.pass_seconds(60)
    assert stack.status() == "DELETE_IN_PROGRESS"
    stack.stage.complete(leaving[0])
    stack.until("DELETE_COMPLETE")
    assert not stack.stage.describe()


def test_an_update_of_the_launch_template_lasts_until_all_instances_are_replaced(
    stack: Stack,
) -> None:
    stack.create(NewInstancesProtectedFromScaleIn=False)
    stack.until("CREATE_COMPLETE")
    stack.stage.rest(in_service=1, pooled=2)
    before = {**stack.stage.group(), **stack.stage.pool()}
    template = stack.around.new_template()
    stack.update(NewInstancesProtectedFromScaleIn=False, LaunchTemplate=template)
    (first,) = stack.stage.until_action("EC2", "AutoScalingGroup")
    assert stack.status() == "UPDATE_IN_PROGRESS"
    assert len(stack.stage.group()) == 2  # launched before the old one leaves
    stack.stage.complete(first)
    stack.until("UPDATE_COMPLETE")
    assert stack.stage.describe()["LaunchTemplate"]["Version"] == template["Version"]
    assert {**stack.stage.group(), **stack.stage.pool()}.keys().isdisjoint(before)
    stack.delete()
    stack.until("DELETE_COMPLETE")


def test_a_refresh_that_does_not_succeed_rolls_the_stack_back_with_another_one(
    stack: Stack,
) -> None:
    stack.create(NewInstancesProtectedFromScaleIn=False)
    stack.until("CREATE_COMPLETE")
    stack.stage.rest(in_service=1, pooled=2)
    before = stack.stage.describe()["LaunchTemplate"]
    stack.update(
        MaxSize="4",
        NewInstancesProtectedFromScaleIn=False,
        LaunchTemplate=stack.around.new_template(),
    )
    (first,) = stack.stage.until_action("EC2", "AutoScalingGroup")
    stack.stage.complete(first)
    stack.stage.until_action("AutoScalingGroup", "EC2")
    stack.stage.asg.cancel_instance_refresh(AutoScalingGroupName=stack.name)
    stack.until("UPDATE_ROLLBACK_COMPLETE")
    assert "did not succeed: Cancelled" in stack.reason()
    stack.stage.rest(in_service=1, pooled=2)
    group = stack.stage.describe()
    assert (group["LaunchTemplate"], group["MaxSize"]) == (before, 3)
    members = [*group["Instances"], *stack.stage.describe_pool()["Instances"]]
    assert {it["LaunchTemplate"]["Version"] for it in members} == {"1"}
    stack.delete()
    stack.until("DELETE_COMPLETE")
