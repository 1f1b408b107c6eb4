"""Operations on lifecycle hooks and on the actions that they open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.group.errors import ValidationError
from local.group.settings import ABANDON, Hook
from local.group.states import HookKind
from local.services.autoscaling_service import AutoScalingService, GroupRecord

Request = Mapping[str, Any]


def hook_of(request: Request, earlier: Hook | None = None) -> Hook:
    """The hook a request describes; what it leaves out is as before, or AWS's default."""
    kind = request.get("LifecycleTransition", earlier.kind.value if earlier else None)
    if kind not in tuple(HookKind):
        raise ValidationError(
            f"Lifecycle transition {kind or 'null'} must be one of {', '.join(HookKind)}."
        )

    def value(key: str, before: Any) -> Any:
        return request.get(key, before)

    return Hook(
        name=request["LifecycleHookName"],
        kind=HookKind(kind),
        heartbeat_timeout_seconds=value(
            "HeartbeatTimeout", earlier.heartbeat_timeout_seconds if earlier else 3600
        ),
        default_result=value("DefaultResult", earlier.default_result if earlier else ABANDON),
        notification_metadata=value(
            "NotificationMetadata", earlier.notification_metadata if earlier else None
        ),
        notification_target_arn=value(
            "NotificationTargetARN", earlier.notification_target_arn if earlier else None
        )
        or None,
        role_arn=value("RoleARN", earlier.role_arn if earlier else None),
    )


def tell_target(service: AutoScalingService, request: Request) -> None:
    """The test notification of PutLifecycleHook; raises ValidationError if it does not arrive.

    Sent without the groups' lock: the target's service asks them who may send.
    """
    with service.lock:
        record, hook = _hook_to_put(service, request)
    if hook.notification_target_arn:
        service.cloud.test_notification(record, hook)


def put_lifecycle_hook(service: AutoScalingService, request: Request) -> Request:
    record, hook = _hook_to_put(service, request)
    record.group.put_hook(hook)
    return {}


def _hook_to_put(service: AutoScalingService, request: Request) -> tuple[GroupRecord, Hook]:
    record = service.record(request["AutoScalingGroupName"])
    return record, hook_of(request, record.group.hooks.get(request["LifecycleHookName"]))


def describe_lifecycle_hooks(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    wanted = request.get("LifecycleHookNames")
    hooks = [hook for name, hook in sorted(group.hooks.items()) if not wanted or name in wanted]
    return {"LifecycleHooks": [_described(group.name, hook) for hook in hooks]}


def delete_lifecycle_hook(service: AutoScalingService, request: Request) -> Request:
    service.group(request["AutoScalingGroupName"]).delete_hook(request["LifecycleHookName"])
    return {}


def complete_lifecycle_action(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    group.journeys.actions.complete(
        request["LifecycleHookName"],
        request["LifecycleActionResult"],
        request.get("LifecycleActionToken"),
        request.get("InstanceId"),
    )
    return {}


def record_lifecycle_action_heartbeat(service: AutoScalingService, request: Request) -> Request:
    group = service.group(request["AutoScalingGroupName"])
    group.journeys.actions.heartbeat(
        request["LifecycleHookName"],
        request.get("LifecycleActionToken"),
        request.get("InstanceId"),
    )
    return {}


def _described(group_name: str, hook: Hook) -> dict[str, Any]:
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": group_name,
        "LifecycleTransition": hook.kind.value,
        "NotificationTargetARN": hook.notification_target_arn,
        "RoleARN": hook.role_arn,
        "NotificationMetadata": hook.notification_metadata,
        "HeartbeatTimeout": hook.heartbeat_timeout_seconds,
        "GlobalTimeout": hook.global_timeout_seconds,
        "DefaultResult": hook.default_result,
    }
