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
from local.group.instance import Instance
from local.group.settings import Hook
from local.group.states import Transition


@dataclass(frozen=True, slots=True)
class GroupEvent:
    """An event for the bus; `hook` is set on a lifecycle action, for its notification target."""

    detail_type: str
    detail: dict[str, Any]
    resources: tuple[str, ...]
    time: float
    hook: Hook | None = None


def _verb(transition: Transition) -> str:
    return "Launch" if transition.launches else "Terminate"


def lifecycle_action(
    name: str, arn: str, instance: Instance, action: LifecycleAction, now: float
) -> GroupEvent:
    """`EC2 Instance-launch Lifecycle Action` or `-terminate`; resources hold the group alone."""
    hook, transition = action.hook, instance.transition
    detail = {
        "LifecycleActionToken": action.token,
        "AutoScalingGroupName": name,
        "LifecycleHookName": hook.name,
        "EC2InstanceId": instance.instance_id,
        "LifecycleTransition": hook.kind.value,
    }
    if hook.notification_metadata is not None:
        detail["NotificationMetadata"] = hook.notification_metadata
    detail["Origin"] = transition.origin.value
    detail["Destination"] = transition.destination.value
    detail["Action"] = _verb(transition)
    detail_type = f"EC2 Instance-{_verb(transition).lower()} Lifecycle Action"
    return GroupEvent(detail_type, detail, (arn,), now, hook)


def outcome(
    name: str,
    arn: str,
    transition: Transition,
    activity: Activity,
    instance_id: str,
    succeeded: bool,
) -> GroupEvent:
    """`EC2 Instance Launch Successful` and its three sisters; the activity has ended."""
    end_time = activity.end_time if activity.end_time is not None else activity.start_time
    detail: dict[str, Any] = {
        "Origin": transition.origin.value,
        "Destination": transition.destination.value,
        "Action": _verb(transition),
        "StatusCode": IN_PROGRESS if succeeded else FAILED,
        "Description": activity.description,
        "AutoScalingGroupName": name,
        "ActivityId": activity.activity_id,
        "Details": activity_details(activity),
        "RequestId": activity.activity_id,
        "StatusMessage": activity.status_message,
        "EndTime": timestamp(end_time),
        "EC2InstanceId": instance_id,
        "StartTime": timestamp(activity.start_time),
        "Cause": activity.cause,
    }
    resources = (arn, _instance_arn(arn, instance_id)) if instance_id else (arn,)
    word = "Successful" if succeeded else "Unsuccessful"
    return GroupEvent(f"EC2 Instance {_verb(transition)} {word}", detail, resources, end_time)


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
