"""Operations on groups: create, update, delete, describe, capacity, processes, metrics, tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from local.group.activities import timestamp
from local.group.choice import TERMINATION_POLICIES
from local.group.errors import AlreadyExistsError, ValidationError
from local.group.group import Group
from local.group.settings import GroupSettings
from local.group.states import GROUP_ACTIVE, GROUP_LEAVING
from local.services.autoscaling_hooks import hook_of
from local.services.autoscaling_metrics import GROUP_METRICS
from local.services.autoscaling_pool import pool_fields
from local.services.autoscaling_service import (
    AutoScalingService,
    GroupRecord,
    instance_fields,
    page,
)

Request = Mapping[str, Any]

# Kept and described, without effect on what the group does here.
_PLAIN_PROPERTIES = {
    "HealthCheckType": "EC2",
    "CapacityRebalance": None,
    "DefaultInstanceWarmup": None,
    "MaxInstanceLifetime": None,
    "PlacementGroup": None,
    "ServiceLinkedRoleARN": None,
    "DesiredCapacityType": None,
    "Context": None,
}
DESIRED_CONFIGURATION_IS_ACTIVE = (
    "An active instance refresh with a desired configuration exists. All configuration options "
    "derived from the desired configuration are not available for update while the instance "
    "refresh is active."
)
"""User guide, instance-refresh-overview."""


def create_auto_scaling_group(service: AutoScalingService, request: Request) -> Request:
    name = request["AutoScalingGroupName"]
    if service.find(name) is not None:
        raise AlreadyExistsError(
            "AutoScalingGroup by this name already exists - A group with the name "
            f"{name} already exists"
        )
    subnet_ids = _subnet_ids(request)
    settings = GroupSettings(
        min_size=request["MinSize"],
        max_size=request["MaxSize"],
        placements=service.cloud.placements(subnet_ids, request.get("AvailabilityZones", ())),
        **_behaviour(request),
    )
    record = GroupRecord(
        name=name,
        arn=service.group_arn(name),
        launch=service.cloud.launch_source(request),
        created_time=service.cloud.now(),
        subnet_ids=subnet_ids,
        properties={key: request.get(key, default) for key, default in _PLAIN_PROPERTIES.items()},
    )
    hooks = tuple(map(hook_of, request.get("LifecycleHookSpecificationList", ())))
    world = service.cloud.world(record)
    record.group = Group(name, record.arn, settings, world, request.get("DesiredCapacity"), hooks)
    service.add(record)
    put_tags(record, request.get("Tags", ()))
    return {}


def update_auto_scaling_group(service: AutoScalingService, request: Request) -> Request:
    record = service.record(request["AutoScalingGroupName"])
    now = record.group.settings
    subnet_ids = _subnet_ids(request) or record.subnet_ids
    placements = now.placements
    if "VPCZoneIdentifier" in request or "AvailabilityZones" in request:
        zones = request.get("AvailabilityZones", ())
        placements = service.cloud.placements(subnet_ids, zones)
    settings = replace(
        now,
        min_size=request.get("MinSize", now.min_size),
        max_size=request.get("MaxSize", now.max_size),
        placements=placements,
        **_behaviour(request),
    )
    launch = record.launch
    if not {"LaunchTemplate", "LaunchConfigurationName", "MixedInstancesPolicy"}.isdisjoint(
        request
    ):
        if record.desired_launch is not None:
            raise ValidationError(DESIRED_CONFIGURATION_IS_ACTIVE)
        launch = service.cloud.launch_source(request)
    record.group.update(settings, request.get("DesiredCapacity"))
    record.launch, record.subnet_ids = launch, subnet_ids
    record.properties |= {key: request[key] for key in _PLAIN_PROPERTIES if key in request}
    return {}


def delete_auto_scaling_group(service: AutoScalingService, request: Request) -> Request:
    service.group(request["AutoScalingGroupName"]).delete(request.get("ForceDelete", False))
    return {}


def set_desired_capacity(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    if request.get("HonorCooldown", False):
        group.check_cooldown(group.settings.default_cooldown_seconds)
    group.set_desired_capacity(request["DesiredCapacity"])
    return {}


def describe_auto_scaling_groups(service: AutoScalingService, request: Request) -> Request:
    wanted = set(request.get("AutoScalingGroupNames", ()))
    kept = [
        record
        for record in service.records()
        if (not wanted or record.name in wanted or record.arn in wanted)
        and all(_tag_filter(condition)(record) for condition in request.get("Filters", ()))
    ]
    answer = page(kept, request, 50, "AutoScalingGroups")
    return answer | {"AutoScalingGroups": list(map(_described, answer["AutoScalingGroups"]))}


def suspend_processes(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    group.suspend(tuple(request.get("ScalingProcesses", ())))
    return {}


def resume_processes(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    group.resume(tuple(request.get("ScalingProcesses", ())))
    return {}


def enable_metrics_collection(service: AutoScalingService, request: Request) -> Request:
    record = service.record(request["AutoScalingGroupName"])
    if request["Granularity"] != "1Minute":
        raise ValidationError(f"Granularity {request['Granularity']} must be 1Minute.")
    wanted = tuple(request.get("Metrics", ())) or GROUP_METRICS
    for metric in wanted:
        if metric not in GROUP_METRICS:
            raise ValidationError(f"Metric {metric} is none of {', '.join(GROUP_METRICS)}.")
    record.enabled_metrics = tuple(dict.fromkeys((*record.enabled_metrics, *wanted)))
    service.cloud.collect_metrics()
    return {}


def disable_metrics_collection(service: AutoScalingService, request: Request) -> Request:
    record = service.record(request["AutoScalingGroupName"])
    unwanted = request.get("Metrics", ()) or GROUP_METRICS
    record.enabled_metrics = tuple(m for m in record.enabled_metrics if m not in unwanted)
    return {}


def put_tags(record: GroupRecord, tags: Any) -> None:
    """Tags of a request, which may leave out ResourceId, as those of a new group do."""
    for tag in tags:
        record.tags[tag["Key"]] = {
            "ResourceId": record.name,
            "ResourceType": "auto-scaling-group",
            "Key": tag["Key"],
            "Value": tag.get("Value", ""),
            "PropagateAtLaunch": tag.get("PropagateAtLaunch", False),
        }


def create_or_update_tags(service: AutoScalingService, request: Request) -> Request:
    for tag in request["Tags"]:
        put_tags(service.record(tag.get("ResourceId", "")), [tag])
    return {}


def delete_tags(service: AutoScalingService, request: Request) -> Request:
    for tag in request["Tags"]:
        service.record(tag.get("ResourceId", "")).tags.pop(tag["Key"], None)
    return {}


def describe_tags(service: AutoScalingService, request: Request) -> Request:
    fields = {"auto-scaling-group": "ResourceId", "key": "Key", "value": "Value"}
    tags = [tag for record in service.records() for _, tag in sorted(record.tags.items())]
    for condition in request.get("Filters", ()):
        name = condition["Name"]
        if name == "propagate-at-launch":
            tags = [t for t in tags if str(t["PropagateAtLaunch"]).lower() in condition["Values"]]
        elif name in fields:
            tags = [t for t in tags if t[fields[name]] in condition["Values"]]
        else:
            raise ValidationError(f"Filter type {name} is not correct.")
    return page(tags, request, 50, "Tags")


def _subnet_ids(request: Request) -> tuple[str, ...]:
    return tuple(filter(None, request.get("VPCZoneIdentifier", "").replace(" ", "").split(",")))


def _behaviour(request: Request) -> dict[str, Any]:
    """The optional settings that the request names, as GroupSettings has them."""
    names = {
        "DefaultCooldown": "default_cooldown_seconds",
        "HealthCheckGracePeriod": "health_check_grace_period_seconds",
        "NewInstancesProtectedFromScaleIn": "new_instances_protected_from_scale_in",
    }
    settings: dict[str, Any] = {ours: request[key] for key, ours in names.items() if key in request}
    if policies := request.get("TerminationPolicies"):
        for policy in policies:
            if policy not in TERMINATION_POLICIES:
                raise ValidationError(
                    f"Termination policy {policy} must be one of {', '.join(TERMINATION_POLICIES)}."
                )
        settings["termination_policies"] = tuple(policies)
    return settings


def _tag_filter(condition: Request) -> Callable[[GroupRecord], bool]:
    name, values = condition["Name"], set(condition["Values"])
    if name == "tag-key":
        return lambda record: not values.isdisjoint(record.tags)
    if name == "tag-value":
        return lambda record: any(tag["Value"] in values for tag in record.tags.values())
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda record: key in record.tags and record.tags[key]["Value"] in values
    raise ValidationError(f"Filter type {name} is not correct.")


def _described(record: GroupRecord) -> dict[str, Any]:
    group = record.group
    settings = group.settings
    members = group.members.within((*GROUP_ACTIVE, *GROUP_LEAVING))
    launch: dict[str, Any] = {"LaunchTemplate": record.launch}
    if "LaunchConfigurationName" in record.launch:
        launch = dict(record.launch)
    return {
        "AutoScalingGroupName": record.name,
        "AutoScalingGroupARN": record.arn,
        **launch,
        "MinSize": settings.min_size,
        "MaxSize": settings.max_size,
        "DesiredCapacity": group.desired_capacity,
        "DefaultCooldown": settings.default_cooldown_seconds,
        "AvailabilityZones": sorted({place.zone for place in settings.placements}),
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "HealthCheckGracePeriod": settings.health_check_grace_period_seconds,
        "Instances": [instance_fields(record, instance) for instance in members],
        "CreatedTime": record.created_time,
        "SuspendedProcesses": _suspended(group),
        "VPCZoneIdentifier": ",".join(record.subnet_ids),
        "EnabledMetrics": [
            {"Metric": metric, "Granularity": "1Minute"} for metric in record.enabled_metrics
        ],
        "Status": "Delete in progress" if group.deleting else None,
        "Tags": [tag for _, tag in sorted(record.tags.items())],
        "TerminationPolicies": list(settings.termination_policies),
        "NewInstancesProtectedFromScaleIn": settings.new_instances_protected_from_scale_in,
        **record.properties,
        **pool_fields(group),
    }


def _suspended(group: Group) -> list[dict[str, str]]:
    return [
        {"ProcessName": process, "SuspensionReason": f"User suspended at {timestamp(when)}"}
        for process, when in sorted(group.suspended.items())
    ]
