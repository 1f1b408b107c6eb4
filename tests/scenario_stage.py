"""What a warm-pool scenario needs, in virtual time as behind an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pytest
from botocore.exceptions import ClientError

CONTINUE, ABANDON = "CONTINUE", "ABANDON"
WAITING = ("Pending:Wait", "Warmed:Pending:Wait", "Terminating:Wait", "Warmed:Terminating:Wait")


class Surroundings(Protocol):
    """The part of a stage that differs: time, EC2, and where events are heard."""

    client: Any

    def poll(self, condition: Callable[[], bool]) -> bool:
        """Let time pass until the condition holds; False when it has not for long enough."""
        ...

    def pass_seconds(self, seconds: float) -> None:
        """Let this many of AWS's own seconds pass."""

    def events(self) -> list[dict[str, Any]]:
        """All events of Auto Scaling heard so far: detail-type, detail, resources."""
        ...

    def machine_state(self, instance_id: str) -> str:
        """EC2's state of it."""
        ...

    def lose_machine(self, instance_id: str, state: str) -> None:
        """Stop or terminate it in EC2, behind the group's back; returns when it is so."""

    def set_capacity(self, available: bool) -> None:
        """Whether EC2 has capacity in the group's zones."""

    def where_to_launch(self) -> dict[str, Any]:
        """LaunchTemplate and subnets for CreateAutoScalingGroup."""
        ...

    def new_template(self) -> dict[str, Any]:
        """Another version of the launch template, the way a deploy makes one."""
        ...


class Stage:
    """One group, and words for what a person does to it and sees of it."""

    def __init__(self, surroundings: Surroundings, name: str) -> None:
        self.around = surroundings
        self.name = name
        self.asg = surroundings.client
        self._completed: set[str] = set()

    # What a person does

    def create(
        self,
        desired: int = 1,
        max_size: int = 5,
        pool: Mapping[str, Any] | None = None,
        heartbeat: int = 3600,
        **more: Any,
    ) -> None:
        """A group with both hooks, min 0, and a pool unless `pool` is None."""
        hooks = [
            ("ready", "autoscaling:EC2_INSTANCE_LAUNCHING", ABANDON),
            ("drain", "autoscaling:EC2_INSTANCE_TERMINATING", CONTINUE),
        ]
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            DesiredCapacity=desired,
            **{"MinSize": 0, "MaxSize": max_size, **self.around.where_to_launch(), **more},
            LifecycleHookSpecificationList=[
                {
                    "LifecycleHookName": hook,
                    "LifecycleTransition": transition,
                    "DefaultResult": default,
                    "HeartbeatTimeout": heartbeat,
                }
                for hook, transition, default in hooks
            ],
        )
        if pool is not None:
            self.asg.put_warm_pool(AutoScalingGroupName=self.name, **pool)

    def rest(self, in_service: int, pooled: int, pool_state: str = "Warmed:Stopped") -> None:
        """Complete every action with CONTINUE until the group rests so."""
        wanted = ["InService"] * in_service + [pool_state] * pooled

        def rests() -> bool:
            self.complete_all()
            return sorted([*self.group().values(), *self.pool().values()]) == sorted(wanted)

        self.until(rests, f"{in_service} in service and {pooled} {pool_state}")

    def set_desired(self, capacity: int) -> None:
        self.asg.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=capacity)

    def complete(self, action: Mapping[str, Any], result: str = CONTINUE) -> None:
        detail = action["detail"]
        self._completed.add(detail["LifecycleActionToken"])
        self.asg.complete_lifecycle_action(
            AutoScalingGroupName=self.name,
            LifecycleHookName=detail["LifecycleHookName"],
            LifecycleActionToken=detail["LifecycleActionToken"],
            LifecycleActionResult=result,
        )

    def complete_all(self) -> None:
        for action in self.open_actions():
            self.complete(action)

    # What a person sees

    def describe(self) -> dict[str, Any]:
        groups = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        found: list[dict[str, Any]] = groups["AutoScalingGroups"]
        return found[0] if found else {}

    def group(self) -> dict[str, str]:
        """Lifecycle states of the group's members by instance id."""
        return _states(self.describe().get("Instances", []))

    def pool(self) -> dict[str, str]:
        return _states(self.describe_pool()["Instances"])

    def describe_pool(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.asg.describe_warm_pool(AutoScalingGroupName=self.name)
        return answer

    def member(self, instance_id: str) -> dict[str, Any]:
        found = self.asg.describe_auto_scaling_instances(InstanceIds=[instance_id])
        members: list[dict[str, Any]] = found["AutoScalingInstances"]
        return members[0] if members else {}

    def activities(self) -> list[dict[str, Any]]:
        """Newest first."""
        found = self.asg.describe_scaling_activities(AutoScalingGroupName=self.name)
        activities: list[dict[str, Any]] = found["Activities"]
        return activities

    def heard(self, detail_type: str, **detail: str) -> list[dict[str, Any]]:
        """Events of the group, by detail-type and parts of the detail, in the order heard."""
        return [
            event
            for event in self.around.events()
            if event["detail-type"] == detail_type
            and event["detail"]["AutoScalingGroupName"] == self.name
            and all(event["detail"].get(key) == value for key, value in detail.items())
        ]

    def open_actions(self) -> list[dict[str, Any]]:
        """Lifecycle actions heard of and not completed here, of instances that still wait."""
        heard = [
            event
            for kind in ("launch", "terminate")
            for event in self.heard(f"EC2 Instance-{kind} Lifecycle Action")
            if event["detail"]["LifecycleActionToken"] not in self._completed
        ]
        waiting = {i for i, state in {**self.group(), **self.pool()}.items() if state in WAITING}
        return [event for event in heard if event["detail"]["EC2InstanceId"] in waiting]

    # Time

    def until(self, condition: Callable[[], bool], what: str) -> None:
        assert self.around.poll(condition), (
            f"never came: {what}. Group {self.group()}, pool {self.pool()}, "
            f"activities {[(a['Description'], a['StatusCode']) for a in self.activities()][:5]}"
        )

    def until_action(self, origin: str, destination: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until `count` open actions go this way, and return them."""

        def going() -> list[dict[str, Any]]:
            return [
                action
                for action in self.open_actions()
                if (action["detail"]["Origin"], action["detail"]["Destination"])
                == (origin, destination)
            ]

        self.until(lambda: len(going()) >= count, f"{count} actions {origin} -> {destination}")
        return going()

    def until_state(self, instance_id: str, state: str) -> None:
        self.until(
            lambda: self.member(instance_id).get("LifecycleState") == state,
            f"{instance_id} in {state}",
        )

    def until_gone(self, instance_id: str) -> None:
        self.until(lambda: not self.member(instance_id), f"{instance_id} is no member any more")


def _states(instances: list[dict[str, Any]]) -> dict[str, str]:
    return {instance["InstanceId"]: instance["LifecycleState"] for instance in instances}


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    """Code and message of what the API refused."""
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]
