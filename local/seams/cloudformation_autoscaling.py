"""CloudFormation's Auto Scaling resources, on the real groups.

Stock ministack writes group records that nothing acts on, drops LifecycleHookSpecificationList and
does not know AWS::AutoScaling::WarmPool. Here as on AWS they are made by the Auto Scaling API.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from local.context import CloudContext
from local.group.errors import AutoScalingError
from local.group.states import LifecycleState
from local.seams import autoscaling, cloudformation_refresh
from local.services.autoscaling_api import call
from local.services.autoscaling_properties import (
    group_request,
    hook_request,
    policy_request,
    pool_request,
    refresh_request,
)
from local.services.autoscaling_service import GroupRecord

LONGEST_WAIT_SECONDS = 3600.0
LONGEST_REFRESH_SECONDS = 36 * 3600.0
"""Template reference, aws-attribute-updatepolicy."""
LOOK_EVERY_SECONDS = 0.2

Properties = Mapping[str, Any]
Provisioned = tuple[str, dict[str, Any]]


class StackTimeoutError(Exception):
    """A resource did not come to rest; the message names what it still waits for."""


def install(context: CloudContext) -> None:  # noqa: ARG001 - every seam is installed alike
    """Replace the handlers, and let them wait on a thread of their own."""
    from ministack.services.cloudformation import provisioners, stacks

    for name, handler in (
        ("AutoScalingGroup", _handler(create_group, update_group, delete_group)),
        ("WarmPool", _handler(create_pool, update_pool, delete_pool)),
        ("LifecycleHook", _handler(create_hook, update_hook, delete_hook)),
        ("ScalingPolicy", _handler(create_policy, update_policy, delete_policy)),
    ):
        provisioners._RESOURCE_HANDLERS[f"AWS::AutoScaling::{name}"] = handler
    cloudformation_refresh.install()
    stock_runs_on_thread = stacks._runs_on_worker_thread

    def runs_on_worker_thread(resource_type: str) -> bool:
        if resource_type.startswith("AWS::AutoScaling::"):
            return True
        return bool(stock_runs_on_thread(resource_type))

    stacks._runs_on_worker_thread = runs_on_worker_thread


def _handler(
    create: Callable[..., Provisioned], update: Callable[..., Provisioned], delete: Any
) -> dict[str, Any]:
    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


# AWS::AutoScaling::AutoScalingGroup


def create_group(logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
    name = properties.get("AutoScalingGroupName") or _physical_name(stack_name, logical_id)
    request = group_request(properties) | {"AutoScalingGroupName": name}
    # Before instances are launched (API reference, CreateAutoScalingGroup).
    request["LifecycleHookSpecificationList"] = _hook_requests(properties)
    request["Tags"] = _tags(name, properties)
    _call("CreateAutoScalingGroup", request)
    _collect_metrics(name, properties)
    return name, _group_attributes(name)


def update_group(
    name: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Provisioned:
    """In place but for the name; DesiredCapacity stays as it is when the template has none.

    Ends when the instance refresh has, if the update policy asks for one.
    """
    from ministack.services.cloudformation import provisioners

    declared = new.get("AutoScalingGroupName") or _physical_name(stack_name, logical_id)
    current = name if autoscaling.service().find(name) else None
    replaced = provisioners._rename_replacement(
        *(name, old, new, stack_name, logical_id, declared, current, create_group, delete_group)
    )
    if replaced is not None:
        return tuple(replaced)
    request = group_request(new) | {"AutoScalingGroupName": name}
    policy = cloudformation_refresh.policy_of(stack_name, logical_id)
    refreshes = cloudformation_refresh.is_due(policy, old, new)
    launch = request.pop("LaunchTemplate", None) if refreshes else None
    _call("UpdateAutoScalingGroup", request)
    _update_hooks(name, old, new)
    _update_tags(name, old, new)
    _collect_metrics(name, new)
    if policy is not None and refreshes:
        _refresh(refresh_request(name, policy, launch))
    return name, _group_attributes(name)


def _refresh(request: Mapping[str, Any]) -> None:
    """Start it and wait; raises ValueError when it comes to another end than success."""
    name = request["AutoScalingGroupName"]
    refresh_id = _call("StartInstanceRefresh", request)["InstanceRefreshId"]
    asked = {"AutoScalingGroupName": name, "InstanceRefreshIds": [refresh_id]}

    def found() -> Mapping[str, Any]:
        refreshes: list[Mapping[str, Any]]
        refreshes = _call("DescribeInstanceRefreshes", asked)["InstanceRefreshes"]
        return refreshes[0]

    def state() -> str:
        return f"instance refresh {refresh_id} of {name}: {found()}"

    _wait(lambda: found()["EndTime"] is not None, state, LONGEST_REFRESH_SECONDS)
    if found()["Status"] != "Successful":
        raise ValueError(
            f"Instance refresh {refresh_id} of AutoScalingGroup {name} did not "
            f"succeed: {found()['Status']}. {found()['StatusReason'] or ''}"
        )


def delete_group(name: str, properties: Properties) -> None:  # noqa: ARG001 - their signature
    """By force, as CloudFormation does; ends when the last instance has left through its hooks."""
    if autoscaling.service().find(name) is None:
        return
    _call("DeleteAutoScalingGroup", {"AutoScalingGroupName": name, "ForceDelete": True})
    _wait(
        lambda: autoscaling.service().find(name) is None,
        lambda: f"AutoScalingGroup {name} to lose its instances: {_states(name)}",
    )


# AWS::AutoScaling::WarmPool


def create_pool(logical_id: str, properties: Properties, stack_name: str) -> Provisioned:  # noqa: ARG001
    """CREATE_COMPLETE only when no launch hook of a pool instance is open any more.

    CloudFormation guide, aws-resource-autoscaling-warmpool: "won't mark the warm pool as successful
    if there are lifecycle hooks that haven't been completed".
    """
    name = properties["AutoScalingGroupName"]
    _call("PutWarmPool", pool_request(properties))
    _wait(
        lambda: _pool_is_prepared(name),
        lambda: f"the warm pool of {name} to complete its lifecycle hooks: {_states(name)}",
    )
    return name, {}


def update_pool(
    name: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Provisioned:
    if old["AutoScalingGroupName"] != new["AutoScalingGroupName"]:
        created = create_pool(logical_id, new, stack_name)
        delete_pool(name, old)
        return created
    _call("PutWarmPool", pool_request(new))
    return name, {}


def delete_pool(name: str, properties: Properties) -> None:  # noqa: ARG001 - their signature
    """By force; ends when the last member has left through its terminate hook."""
    record = autoscaling.service().find(name)
    if record is None or record.group.pool is None:
        return
    _call("DeleteWarmPool", {"AutoScalingGroupName": name, "ForceDelete": True})
    _wait(
        lambda: record.group.pool is None,
        lambda: f"the warm pool of {name} to lose its instances: {_states(name)}",
    )


def _pool_is_prepared(name: str) -> bool:
    group = autoscaling.service().group(name)
    with autoscaling.service().lock:
        open_hooks = group.members.count(
            (LifecycleState.WARMED_PENDING, LifecycleState.WARMED_PENDING_WAIT)
        )
        return not open_hooks and group.members.pool_active >= group.pool_target


# AWS::AutoScaling::LifecycleHook


def create_hook(logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
    name = properties.get("LifecycleHookName") or _physical_name(stack_name, logical_id)
    group_name = properties["AutoScalingGroupName"]
    _call(
        "PutLifecycleHook",
        hook_request(properties) | {"LifecycleHookName": name, "AutoScalingGroupName": group_name},
    )
    return name, {"LifecycleHookName": name}


def update_hook(
    name: str,
    old: Properties,  # noqa: ARG001 - their signature
    new: Properties,
    stack_name: str,
    logical_id: str,
) -> Provisioned:
    """A new name or group is a replacement, which CloudFormation sees to by itself."""
    return create_hook(logical_id, {**new, "LifecycleHookName": name}, stack_name)


def delete_hook(name: str, properties: Properties) -> None:
    record = autoscaling.service().find(properties["AutoScalingGroupName"])
    if record is not None and name in record.group.hooks:
        request = {"AutoScalingGroupName": record.name, "LifecycleHookName": name}
        _call("DeleteLifecycleHook", request)


# AWS::AutoScaling::ScalingPolicy: Ref is the ARN


def create_policy(logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
    name = properties.get("PolicyName") or _physical_name(stack_name, logical_id)
    answer = _call("PutScalingPolicy", policy_request(properties) | {"PolicyName": name})
    return answer["PolicyARN"], {"Arn": answer["PolicyARN"], "PolicyName": name}


def update_policy(
    arn: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Provisioned:
    name = arn.rsplit("policyName/", 1)[-1]
    created = create_policy(logical_id, {**new, "PolicyName": name}, stack_name)
    if old["AutoScalingGroupName"] != new["AutoScalingGroupName"]:
        delete_policy(arn, old)
    return created


def delete_policy(arn: str, properties: Properties) -> None:
    record = autoscaling.service().find(properties["AutoScalingGroupName"])
    if record is not None and any(policy.arn == arn for policy in record.policies.values()):
        _call("DeletePolicy", {"PolicyName": arn})


# What they share


def _call(operation: str, request: Mapping[str, Any]) -> Any:
    """One API call; a refusal becomes the StatusReason in CloudFormation's way."""
    from ministack.services.cloudformation import provisioners

    try:
        return call(autoscaling.service(), operation, request)
    except AutoScalingError as error:
        reason = provisioners._sdk_error(error.message, "AutoScaling", error.http_status)
        raise ValueError(reason) from error


def _wait(
    done: Callable[[], bool],
    what: Callable[[], str],
    longest_seconds: float = LONGEST_WAIT_SECONDS,
) -> None:
    deadline = time.monotonic() + longest_seconds
    while not done():
        if time.monotonic() > deadline:
            raise StackTimeoutError(f"waited {longest_seconds:g} s for {what()}")
        time.sleep(LOOK_EVERY_SECONDS)


def _states(name: str) -> str:
    record: GroupRecord | None = autoscaling.service().find(name)
    if record is None:
        return "the group is gone"
    with autoscaling.service().lock:
        return ", ".join(f"{i.instance_id} {i.state.value}" for i in record.group.members)


def _physical_name(stack_name: str, logical_id: str) -> str:
    from ministack.services.cloudformation import provisioners

    return str(provisioners._physical_name(stack_name, logical_id, max_len=255))


def _group_attributes(name: str) -> dict[str, Any]:
    arn = autoscaling.service().record(name).arn
    return {"AutoScalingGroupARN": arn, "Arn": arn}


def _hook_requests(properties: Properties) -> list[dict[str, Any]]:
    return [hook_request(hook) for hook in properties.get("LifecycleHookSpecificationList", ())]


def _update_hooks(name: str, old: Properties, new: Properties) -> None:
    wanted = {hook["LifecycleHookName"]: hook for hook in _hook_requests(new)}
    before = {hook["LifecycleHookName"]: hook for hook in _hook_requests(old)}
    for hook_name, hook in wanted.items():
        if before.get(hook_name) != hook:
            _call("PutLifecycleHook", hook | {"AutoScalingGroupName": name})
    for hook_name in before.keys() - wanted.keys():
        request = {"AutoScalingGroupName": name, "LifecycleHookName": hook_name}
        _call("DeleteLifecycleHook", request)


def _tags(name: str, properties: Properties) -> list[dict[str, Any]]:
    return [
        {
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
            "Key": tag["Key"],
            "Value": str(tag["Value"]),
            "PropagateAtLaunch": str(tag.get("PropagateAtLaunch", False)).lower() == "true",
        }
        for tag in properties.get("Tags", ())
    ]


def _update_tags(name: str, old: Properties, new: Properties) -> None:
    wanted = _tags(name, new)
    kept = {tag["Key"] for tag in wanted}
    gone = [tag for tag in _tags(name, old) if tag["Key"] not in kept]
    if wanted:
        _call("CreateOrUpdateTags", {"Tags": wanted})
    if gone:
        _call("DeleteTags", {"Tags": gone})


def _collect_metrics(name: str, properties: Properties) -> None:
    for collection in properties.get("MetricsCollection", ()):
        _call("EnableMetricsCollection", {"AutoScalingGroupName": name, **collection})
