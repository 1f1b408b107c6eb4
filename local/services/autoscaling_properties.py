"""CloudFormation properties as the Auto Scaling API names and types them.

A template may write numbers and booleans as text. Properties of the same name as an API member pass
through; the few others are listed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.services.autoscaling_query import input_shape

Properties = Mapping[str, Any]


def group_request(properties: Properties) -> dict[str, Any]:
    """For CreateAutoScalingGroup and UpdateAutoScalingGroup, without hooks, tags and metrics."""
    request = _typed("UpdateAutoScalingGroup", properties)
    if "Cooldown" in properties:
        request["DefaultCooldown"] = int(properties["Cooldown"])
    if isinstance(properties.get("VPCZoneIdentifier"), list):
        request["VPCZoneIdentifier"] = ",".join(properties["VPCZoneIdentifier"])
    return request


def pool_request(properties: Properties) -> dict[str, Any]:
    """For PutWarmPool: what the template leaves out goes back to its default."""
    defaults = {
        "MinSize": 0,
        "MaxGroupPreparedCapacity": -1,
        "PoolState": "Stopped",
        "InstanceReusePolicy": {"ReuseOnScaleIn": False},
    }
    return defaults | _typed("PutWarmPool", properties)


def hook_request(properties: Properties) -> dict[str, Any]:
    """For PutLifecycleHook and LifecycleHookSpecificationList."""
    return _typed("PutLifecycleHook", properties)


def policy_request(properties: Properties) -> dict[str, Any]:
    return _typed("PutScalingPolicy", properties)


REFRESH_DEFAULTS = {
    "MinHealthyPercentage": 100,
    "MaxHealthyPercentage": 110,
    "SkipMatching": True,
}
"""Of AutoScalingInstanceRefresh with Strategy Rolling, where StartInstanceRefresh has others
(template reference, aws-attribute-updatepolicy)."""


def refresh_request(name: str, policy: Properties, launch: Properties | None) -> dict[str, Any]:
    """For StartInstanceRefresh, of an update policy; `launch` is the group's new template."""
    request = _typed("StartInstanceRefresh", {"AutoScalingGroupName": name, **policy})
    preferences = REFRESH_DEFAULTS | request.get("Preferences", {})
    desired = {"DesiredConfiguration": {"LaunchTemplate": launch}} if launch else {}
    return request | {"Preferences": preferences} | desired


def _typed(operation: str, properties: Properties) -> dict[str, Any]:
    typed: dict[str, Any] = _coerced(input_shape(operation), properties)
    return typed


def _coerced(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {
            name: _coerced(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) not in (None, "")
        }
    if shape.type_name == "list":
        return [_coerced(shape.member, item) for item in value]
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("double", "float"):
        return float(value)
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    return value if isinstance(value, list) else str(value)
