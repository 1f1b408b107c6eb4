"""Operations on scaling policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from local.group.errors import ValidationError
from local.services.autoscaling_policy import SIMPLE, ScalingPolicy
from local.services.autoscaling_service import AutoScalingService, GroupRecord, page

Request = Mapping[str, Any]


def put_scaling_policy(service: AutoScalingService, request: Request) -> Request:
    record, name = service.record(request["AutoScalingGroupName"]), request["PolicyName"]
    earlier = record.policies.get(name)
    record.policies[name] = policy = ScalingPolicy(
        name=name,
        arn=earlier.arn if earlier else _new_arn(service, record.name, name),
        policy_type=request.get("PolicyType", SIMPLE),
        adjustment_type=request.get("AdjustmentType", ""),
        properties={key: value for key, value in request.items() if key not in _NAMES},
    )
    return {"PolicyARN": policy.arn, "Alarms": []}


def describe_policies(service: AutoScalingService, request: Request) -> Request:
    name = request.get("AutoScalingGroupName")
    records = [service.record(name)] if name else service.records()
    names, kinds = request.get("PolicyNames"), request.get("PolicyTypes")
    found = [
        _described(record, policy)
        for record in records
        for _, policy in sorted(record.policies.items())
        if (not names or policy.name in names or policy.arn in names)
        and (not kinds or policy.policy_type in kinds)
    ]
    return page(found, request, 50, "ScalingPolicies")


def delete_policy(service: AutoScalingService, request: Request) -> Request:
    record, policy = find_policy(
        service, request.get("AutoScalingGroupName"), request["PolicyName"]
    )
    del record.policies[policy.name]
    return {}


def execute_policy(service: AutoScalingService, request: Request) -> Request:
    """By hand: HonorCooldown is for simple policies alone (API reference)."""
    record, policy = find_policy(
        service, request.get("AutoScalingGroupName"), request["PolicyName"]
    )
    if request.get("HonorCooldown", False):
        if policy.policy_type != SIMPLE:
            raise ValidationError(f"HonorCooldown is not supported for {policy.policy_type}.")
        record.group.check_cooldown(_cooldown_seconds(record, policy))
    capacity = policy.capacity(
        record.group.desired_capacity, request.get("MetricValue"), request.get("BreachThreshold")
    )
    record.group.scale(capacity, f"a user request executed policy {policy.name}")
    return {}


def execute_by_alarm(
    service: AutoScalingService,
    policy_arn: str,
    alarm_name: str,
    metric_value: float,
    threshold: float,
) -> None:
    """What an alarm in state ALARM does, once a minute; nothing while the policy is disabled,
    AlarmNotification is suspended, or the cooldown of a simple policy lasts."""
    record, policy = find_policy(service, None, policy_arn)
    group = record.group
    if not policy.enabled or group.is_suspended("AlarmNotification"):
        return
    if policy.policy_type == SIMPLE and group.is_cooling_down(_cooldown_seconds(record, policy)):
        return
    capacity = policy.capacity(group.desired_capacity, metric_value, threshold)
    trigger = f"a monitor alarm {alarm_name} in state ALARM triggered policy {policy.name}"
    group.scale(capacity, trigger)


def find_policy(
    service: AutoScalingService, group_name: str | None, policy_name: str
) -> tuple[GroupRecord, ScalingPolicy]:
    """By ARN, or by name in a group; raises ValidationError."""
    records = [service.record(group_name)] if group_name else service.records()
    for record in records:
        for policy in record.policies.values():
            if policy_name == policy.arn or (group_name and policy_name == policy.name):
                return record, policy
    raise ValidationError(f"No scaling policy found with name or ARN {policy_name}.")


def _cooldown_seconds(record: GroupRecord, policy: ScalingPolicy) -> float:
    """The policy's own, or the group's default."""
    default = record.group.settings.default_cooldown_seconds
    return float(policy.properties.get("Cooldown", default))


_NAMES = ("AutoScalingGroupName", "PolicyName", "PolicyType", "AdjustmentType")


def _new_arn(service: AutoScalingService, group_name: str, name: str) -> str:
    return (
        f"arn:aws:autoscaling:{service.region}:{service.account_id}:scalingPolicy:{uuid4()}:"
        f"autoScalingGroupName/{group_name}:policyName/{name}"
    )


def _described(record: GroupRecord, policy: ScalingPolicy) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": record.name,
        "PolicyName": policy.name,
        "PolicyARN": policy.arn,
        "PolicyType": policy.policy_type,
        "AdjustmentType": policy.adjustment_type,
        "Alarms": [],
        "StepAdjustments": [],
        "Enabled": policy.enabled,
        **policy.properties,
    }
