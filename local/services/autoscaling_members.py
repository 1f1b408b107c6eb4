"""Operations on the members of groups, and on what was done to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local.group.activities import Activity
from local.group.errors import ValidationError
from local.group.events import activity_details
from local.group.instance import Instance
from local.services.autoscaling_service import (
    AutoScalingService,
    GroupRecord,
    instance_fields,
    page,
)

Request = Mapping[str, Any]


def describe_auto_scaling_instances(service: AutoScalingService, request: Request) -> Request:
    """Warm members too; health is in capitals here, and only here (recorded)."""
    wanted = set(request.get("InstanceIds", ()))
    found = [
        instance_fields(record, instance)
        | {
            "AutoScalingGroupName": record.name,
            "HealthStatus": "HEALTHY" if instance.healthy else "UNHEALTHY",
        }
        for record in service.records()
        for instance in _members(record, wanted)
    ]
    return page(found, request, 50, "AutoScalingInstances")


def describe_scaling_activities(service: AutoScalingService, request: Request) -> Request:
    name, wanted = request.get("AutoScalingGroupName"), set(request.get("ActivityIds", ()))
    statuses = _statuses(name, request.get("Filters", ()))
    records = [service.record(name)] if name and service.find(name) else service.records()
    if request.get("IncludeDeletedGroups", False):
        records = [*records, *service.deleted()]
    elif name:
        records = [service.record(name)]
    found = [
        (record, activity)
        for record in records
        if name in (None, record.name)
        for activity in record.group.records.log.newest_first()
        if (not wanted or activity.activity_id in wanted)
        and (statuses is None or activity.status_code in statuses)
    ]
    if name is None:
        found.sort(key=lambda it: it[1].start_time, reverse=True)
    answer = page(found, request, 100, "Activities")
    return answer | {"Activities": [_described(*it) for it in answer["Activities"]]}


def _statuses(group_name: str | None, filters: Sequence[Mapping[str, Any]]) -> set[str] | None:
    """None for all. Only of one group (botocore: DescribeScalingActivities, Filters)."""
    if not filters:
        return None
    if [it["Name"] for it in filters] != ["Status"] or not group_name:
        raise ValidationError(
            f"Of DescribeScalingActivities only Status of a group can be filtered, not {filters}."
        )
    return set(filters[0]["Values"])


def set_instance_protection(service: AutoScalingService, request: Request) -> Request:
    instance_ids = request["InstanceIds"]
    if len(instance_ids) > 50:
        raise ValidationError(
            f"At most 50 instance IDs are allowed; there are {len(instance_ids)}."
        )
    group = service.group(request["AutoScalingGroupName"])
    group.set_instance_protection(instance_ids, request["ProtectedFromScaleIn"])
    return {}


def set_instance_health(service: AutoScalingService, request: Request) -> Request:
    instance_id, status = request["InstanceId"], request["HealthStatus"]
    if status not in ("Healthy", "Unhealthy"):
        raise ValidationError(f"Health status {status} must be Healthy or Unhealthy.")
    group = service.record_of(instance_id).group
    respect_grace = request.get("ShouldRespectGracePeriod", True)
    group.set_instance_health(instance_id, status == "Healthy", respect_grace)
    return {}


def terminate_instance_in_auto_scaling_group(
    service: AutoScalingService, request: Request
) -> Request:
    instance_ids = request.get("InstanceIds") or [request.get("InstanceId")]
    if instance_ids == [None]:
        raise ValidationError("Either InstanceId or InstanceIds must be specified.")
    activities = []
    for instance_id in instance_ids:
        record = service.record_of(instance_id)
        activity = record.group.terminate_instance(
            instance_id, request["ShouldDecrementDesiredCapacity"]
        )
        activities.append(_described(record, activity))
    answer: dict[str, Any] = {"Activity": activities[0]}
    return answer if "InstanceId" in request else answer | {"Activities": activities}


def _members(record: GroupRecord, wanted: set[str]) -> Iterable[Instance]:
    """Those asked for; all when none is named."""
    members = record.group.members
    if not wanted:
        return members
    named = map(members.get, sorted(wanted))
    return [instance for instance in named if instance is not None]


def _described(record: GroupRecord, activity: Activity) -> dict[str, Any]:
    return {
        "ActivityId": activity.activity_id,
        "AutoScalingGroupName": record.name,
        "AutoScalingGroupARN": record.arn,
        "AutoScalingGroupState": "Deleted" if record.group.deleting else None,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.start_time,
        "EndTime": activity.end_time,
        "StatusCode": activity.status_code,
        "StatusMessage": activity.status_message or None,
        "Progress": activity.progress,
        "Details": json.dumps(activity_details(activity)),
    }
