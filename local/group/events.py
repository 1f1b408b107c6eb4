"""What the group tells the world: EventBridge details in the exact shape of the live service.

Shapes from the user guide, ec2-auto-scaling-event-reference and warm-pools-eventbridge-events; the
keys `Action`, `Origin`, `Destination` and `Availability Zone ID`, and a StatusCode of InProgress on
success, as recorded from the live service in 2026-09.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.group.actions import LifecycleAction
from local.group.activities import FAILED, IN_PROGRESS, Activity, timestamp
from local.group.settings import Hook
from local.group.states import Transition


@dataclass(slots=True, eq=False)
class GroupEvent:
    """An event for the bus.

    It is put into AWS's words only where somebody reads them: virtual time rarely does.
    """

    group_name: str
    group_arn: str
    time: float

    @property
    def hook(self) -> Hook | None:
        """That of a lifecycle action, for its notification target."""
        return None

    @property
    def detail_type(self) -> str:
        raise NotImplementedError

    @property
    def detail(self) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def resources(self) -> tuple[str, ...]:
        return (self.group_arn,)


@dataclass(slots=True, eq=False)
class InstanceEvent(GroupEvent):
    """About one instance (or "", when EC2 gave none) on its way."""

    transition: Transition
    instance_id: str

    @property
    def verb(self) -> str:
        return "Launch" if self.transition.launches else "Terminate"


@dataclass(slots=True, eq=False)
class ActionEvent(InstanceEvent):
    """`EC2 Instance-launch Lifecycle Action` or `-terminate`; resources hold the group alone."""

    action: LifecycleAction

    @property
    def hook(self) -> Hook:
        return self.action.hook

    @property
    def detail_type(self) -> str:
        return f"EC2 Instance-{self.verb.lower()} Lifecycle Action"

    @property
    def detail(self) -> dict[str, Any]:
        detail = {
            "LifecycleActionToken": self.action.token,
            "AutoScalingGroupName": self.group_name,
            "LifecycleHookName": self.hook.name,
            "EC2InstanceId": self.instance_id,
            "LifecycleTransition": self.hook.kind.value,
        }
        if self.hook.notification_metadata is not None:
            detail["NotificationMetadata"] = self.hook.notification_metadata
        detail["Origin"] = self.transition.origin.value
        detail["Destination"] = self.transition.destination.value
        detail["Action"] = self.verb
        return detail


@dataclass(slots=True, eq=False)
class OutcomeEvent(InstanceEvent):
    """`EC2 Instance Launch Successful` and its three sisters; the activity has ended."""

    activity: Activity
    succeeded: bool

    @property
    def detail_type(self) -> str:
        return f"EC2 Instance {self.verb} {'Successful' if self.succeeded else 'Unsuccessful'}"

    @property
    def detail(self) -> dict[str, Any]:
        activity = self.activity
        return {
            "Origin": self.transition.origin.value,
            "Destination": self.transition.destination.value,
            "Action": self.verb,
            "StatusCode": IN_PROGRESS if self.succeeded else FAILED,
            "Description": activity.description,
            "AutoScalingGroupName": self.group_name,
            "ActivityId": activity.activity_id,
            "Details": activity_details(activity),
            "RequestId": activity.activity_id,
            "StatusMessage": activity.status_message,
            "EndTime": timestamp(self.time),
            "EC2InstanceId": self.instance_id,
            "StartTime": timestamp(activity.start_time),
            "Cause": activity.cause,
        }

    @property
    def resources(self) -> tuple[str, ...]:
        group = self.group_arn
        return (group, _instance_arn(group, self.instance_id)) if self.instance_id else (group,)


@dataclass(slots=True, eq=False)
class RefreshEvent(GroupEvent):
    """`EC2 Auto Scaling Instance Refresh Started` and how it ended: Succeeded, Failed, Cancelled
    (user guide, ec2-auto-scaling-event-reference)."""

    refresh_id: str
    verb: str

    @property
    def detail_type(self) -> str:
        return f"EC2 Auto Scaling Instance Refresh {self.verb}"

    @property
    def detail(self) -> dict[str, Any]:
        return {"InstanceRefreshId": self.refresh_id, "AutoScalingGroupName": self.group_name}


def activity_details(activity: Activity) -> dict[str, str]:
    """The `Details` of an activity and of its event."""
    if activity.placement is None:
        return {}
    return {
        "Availability Zone ID": activity.placement.zone_id,
        "Subnet ID": activity.placement.subnet_id,
        "Availability Zone": activity.placement.zone,
    }


def _instance_arn(group_arn: str, instance_id: str) -> str:
    partition, region, account = group_arn.split(":")[1], *group_arn.split(":")[3:5]
    return f"arn:{partition}:ec2:{region}:{account}:instance/{instance_id}"
