"""EC2 Auto Scaling: the one group that this stack owns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pilotlight.aws.calls import named_errors
from pilotlight.errors import GroupNotFoundError
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.trial import PoolSizes
from pilotlight.fleet.waits import HELD_LAUNCH, Activity

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

# MaxGroupPreparedCapacity of the group's MaxSize (API reference, PutWarmPool).
_UNSET = -1


class AutoScalingGroup:
    """Implements the ports of fleet and scaling that concern the group."""

    def __init__(self, client: "AutoScalingClient", name: str) -> None:
        self._client = client
        self._name = name

    def complete(self, pause: Pause, result: str) -> None:
        with named_errors():
            self._client.complete_lifecycle_action(
                **self._action(pause), LifecycleActionResult=result
            )

    def record_heartbeat(self, pause: Pause) -> None:
        with named_errors():
            self._client.record_lifecycle_action_heartbeat(**self._action(pause))

    def lifecycle_state(self, instance_id: str) -> str | None:
        return self.lifecycle_states([instance_id]).get(instance_id)

    def lifecycle_states(self, instance_ids: Sequence[str]) -> Mapping[str, str]:
        with named_errors():
            answer = self._client.describe_auto_scaling_instances(InstanceIds=instance_ids)
        return {it["InstanceId"]: it["LifecycleState"] for it in answer["AutoScalingInstances"]}

    def set_unhealthy(self, instance_id: str) -> None:
        """Raises InstanceNotInGroupError when it is gone."""
        with named_errors():
            self._client.set_instance_health(
                InstanceId=instance_id, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
            )

    def describe(self) -> Group:
        """Raises GroupNotFoundError: the stack is being created or deleted."""
        with named_errors():
            answer = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[self._name])
        if not answer["AutoScalingGroups"]:
            raise GroupNotFoundError(f"there is no Auto Scaling group named {self._name}")
        return _group(answer["AutoScalingGroups"][0])

    def warm_pool(self) -> Iterator[Member]:
        request: dict[str, Any] = {"AutoScalingGroupName": self._name}
        while True:
            with named_errors():
                answer = self._client.describe_warm_pool(**request)
            yield from map(_member, answer["Instances"])
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]

    def activities(self) -> Iterator[Activity]:
        return self._activities()

    def held_launches(self) -> Iterator[Activity]:
        return self._activities(Filters=[{"Name": "Status", "Values": [HELD_LAUNCH]}])

    def _activities(self, **filters: Any) -> Iterator[Activity]:
        pages = self._client.get_paginator("describe_scaling_activities").paginate(
            AutoScalingGroupName=self._name, **filters
        )
        with named_errors():
            for page in pages:
                yield from map(_activity, page["Activities"])

    def set_desired_capacity(self, capacity: int) -> None:
        with named_errors():
            self._client.set_desired_capacity(
                AutoScalingGroupName=self._name, DesiredCapacity=capacity, HonorCooldown=False
            )

    def prepared(self) -> int | None:
        with named_errors():
            answer = self._client.describe_warm_pool(AutoScalingGroupName=self._name, MaxRecords=1)
        prepared = answer.get("WarmPoolConfiguration", {}).get("MaxGroupPreparedCapacity", _UNSET)
        return None if prepared == _UNSET else prepared

    def prepare(self, instances: int) -> None:
        with named_errors():
            self._client.put_warm_pool(
                AutoScalingGroupName=self._name, MaxGroupPreparedCapacity=instances
            )

    def suspend(self, process: str) -> None:
        with named_errors():
            self._client.suspend_processes(
                AutoScalingGroupName=self._name, ScalingProcesses=[process]
            )

    def resume(self, process: str) -> None:
        with named_errors():
            self._client.resume_processes(
                AutoScalingGroupName=self._name, ScalingProcesses=[process]
            )

    def resize_pool(self, sizes: PoolSizes) -> None:
        prepared = _UNSET if sizes.prepared is None else sizes.prepared
        with named_errors():
            self._client.put_warm_pool(
                AutoScalingGroupName=self._name,
                MinSize=sizes.min_size,
                MaxGroupPreparedCapacity=prepared,
            )

    def write_tag(self, key: str, value: str) -> None:
        with named_errors():
            self._client.create_or_update_tags(
                Tags=[
                    {
                        "ResourceId": self._name,
                        "ResourceType": "auto-scaling-group",
                        "Key": key,
                        "Value": value,
                        "PropagateAtLaunch": False,
                    }
                ]
            )

    def _action(self, pause: Pause) -> dict[str, Any]:
        by = {"LifecycleActionToken": pause.token} if pause.token else {}
        return {
            "AutoScalingGroupName": self._name,
            "LifecycleHookName": pause.hook,
            "InstanceId": pause.instance_id,
            **by,
        }


def _group(group: Any) -> Group:
    return Group(
        min_size=group["MinSize"],
        max_size=group["MaxSize"],
        desired_capacity=group["DesiredCapacity"],
        members=tuple(map(_member, group.get("Instances", []))),
        warm_pool_size=group.get("WarmPoolSize", 0),
        suspended_processes=frozenset(
            it["ProcessName"] for it in group.get("SuspendedProcesses", [])
        ),
        tags=tuple((it["Key"], it.get("Value", "")) for it in group.get("Tags", [])),
        # Present only while "the DeleteAutoScalingGroup operation is in progress" (botocore).
        is_being_deleted="Status" in group,
        launch_template_version=group.get("LaunchTemplate", {}).get("Version", ""),
    )


def _member(instance: Any) -> Member:
    return Member(
        instance_id=instance["InstanceId"],
        lifecycle_state=instance["LifecycleState"],
        is_protected=instance.get("ProtectedFromScaleIn", False),
    )


def _activity(activity: Any) -> Activity:
    return Activity(
        description=activity.get("Description", ""),
        status=activity["StatusCode"],
        status_message=activity.get("StatusMessage", ""),
        started_at=activity["StartTime"],
    )
