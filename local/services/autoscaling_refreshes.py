"""Operations on instance refreshes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.group.errors import ValidationError
from local.group.instance import Launched
from local.group.refresh_record import (
    InstanceRefresh,
    Progress,
    RefreshPreferences,
    RefreshStatus,
    ScaleInProtected,
    Skips,
)
from local.services.autoscaling_service import AutoScalingService, GroupRecord, page

Request = Mapping[str, Any]

_LEFT_OUT = ("AlarmSpecification", "AutoRollback", "BakeTime", "CheckpointPercentages")


def start_instance_refresh(service: AutoScalingService, request: Request) -> Request:
    """With a DesiredConfiguration what is launched meanwhile comes from that, and the group has it
    for its own when the refresh succeeds (user guide, instance-refresh-overview)."""
    record = service.record(request["AutoScalingGroupName"])
    given = request.get("Preferences", {})
    _refuse_what_is_left_out(request, given)
    record.group.refreshes.refuse_while_active()
    desired = request.get("DesiredConfiguration")
    launch = service.cloud.launch_source(desired) if desired else record.launch
    preferences = _preferences(record, given)
    skips = _matches(service, launch) if given.get("SkipMatching", False) else _none

    def ended(refresh: InstanceRefresh) -> None:
        record.desired_launch = None
        if desired and refresh.status is RefreshStatus.SUCCESSFUL:
            record.launch = launch

    refresh = record.group.refreshes.start(preferences, skips, ended)
    record.desired_launch = launch if desired else None
    record.refresh_requests[refresh.refresh_id] = {
        "Preferences": dict(given),
        "DesiredConfiguration": desired,
    }
    return {"InstanceRefreshId": refresh.refresh_id}


def describe_instance_refreshes(service: AutoScalingService, request: Request) -> Request:
    """Newest first."""
    record = service.record(request["AutoScalingGroupName"])
    wanted = request.get("InstanceRefreshIds", ())
    found = [
        it for it in record.group.refreshes.newest_first() if not wanted or it.refresh_id in wanted
    ]
    answer = page(found, request, 50, "InstanceRefreshes")
    described = [_described(record, refresh) for refresh in answer["InstanceRefreshes"]]
    return answer | {"InstanceRefreshes": described}


def cancel_instance_refresh(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    refresh = group.refreshes.cancel(request.get("WaitForTransitioningInstances", True))
    return {"InstanceRefreshId": refresh.refresh_id}


def _refuse_what_is_left_out(request: Request, preferences: Request) -> None:
    names = [name for name in _LEFT_OUT if preferences.get(name)]
    if request.get("Strategy", "Rolling") != "Rolling":
        names.append(f"Strategy {request['Strategy']}")
    if "MixedInstancesPolicy" in request.get("DesiredConfiguration", {}):
        names.append("MixedInstancesPolicy")
    if names:
        raise ValidationError(f"Not part of this Auto Scaling: {', '.join(names)}.")


def _preferences(record: GroupRecord, given: Request) -> RefreshPreferences:
    most = given.get("MaxHealthyPercentage")
    if most is not None and "MinHealthyPercentage" not in given:
        raise ValidationError("MaxHealthyPercentage requires MinHealthyPercentage.")
    default_warmup = record.properties.get("DefaultInstanceWarmup")
    if default_warmup is None:
        default_warmup = record.group.settings.health_check_grace_period_seconds
    return RefreshPreferences(
        min_healthy_percentage=given.get("MinHealthyPercentage", 90),
        max_healthy_percentage=most,
        instance_warmup_seconds=given.get("InstanceWarmup", default_warmup),
        scale_in_protected=ScaleInProtected(given.get("ScaleInProtectedInstances", "Wait")),
    )


def _matches(service: AutoScalingService, launch: dict[str, str]) -> Skips:
    version = service.cloud.template_version(launch)

    def matches(launched: Launched) -> bool:
        return launched.template_version == version

    return matches


def _none(_launched: Launched) -> bool:
    return False


def _described(record: GroupRecord, refresh: InstanceRefresh) -> dict[str, Any]:
    percentage, left = refresh.progress
    details = {
        "LivePoolProgress": _progress(refresh.live),
        "WarmPoolProgress": _progress(refresh.pool),
    }
    return {
        "InstanceRefreshId": refresh.refresh_id,
        "AutoScalingGroupName": record.name,
        "Status": refresh.status.value,
        "StatusReason": refresh.status_reason,
        "StartTime": refresh.start_time,
        "EndTime": refresh.end_time,
        "PercentageComplete": percentage,
        "InstancesToUpdate": left,
        "ProgressDetails": details if record.group.pool or refresh.pool_total else None,
        "Strategy": "Rolling",
        **record.refresh_requests[refresh.refresh_id],
    }


def _progress(progress: Progress) -> dict[str, int]:
    percentage, left = progress
    return {"PercentageComplete": percentage, "InstancesToUpdate": left}
