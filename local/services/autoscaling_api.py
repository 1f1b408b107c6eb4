"""The Auto Scaling API: an operation's name and its parameters in, its answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from local.group.choice import TERMINATION_POLICIES
from local.group.errors import AutoScalingError
from local.group.group import PROCESSES
from local.group.states import HookKind
from local.services import (
    autoscaling_groups,
    autoscaling_hooks,
    autoscaling_members,
    autoscaling_policies,
    autoscaling_pool,
    autoscaling_refreshes,
)
from local.services.autoscaling_policy import ADJUSTMENT_TYPES
from local.services.autoscaling_query import (
    check,
    error_xml,
    input_shape,
    parse_request,
    success_xml,
)
from local.services.autoscaling_service import AutoScalingService

Operation = Callable[[AutoScalingService, Mapping[str, Any]], Mapping[str, Any]]


def _constant(answer: Mapping[str, Any]) -> Operation:
    return lambda service, request: answer  # noqa: ARG005


OPERATIONS: dict[str, Operation] = {
    "CreateAutoScalingGroup": autoscaling_groups.create_auto_scaling_group,
    "UpdateAutoScalingGroup": autoscaling_groups.update_auto_scaling_group,
    "DeleteAutoScalingGroup": autoscaling_groups.delete_auto_scaling_group,
    "DescribeAutoScalingGroups": autoscaling_groups.describe_auto_scaling_groups,
    "SetDesiredCapacity": autoscaling_groups.set_desired_capacity,
    "SuspendProcesses": autoscaling_groups.suspend_processes,
    "ResumeProcesses": autoscaling_groups.resume_processes,
    "EnableMetricsCollection": autoscaling_groups.enable_metrics_collection,
    "DisableMetricsCollection": autoscaling_groups.disable_metrics_collection,
    "CreateOrUpdateTags": autoscaling_groups.create_or_update_tags,
    "DeleteTags": autoscaling_groups.delete_tags,
    "DescribeTags": autoscaling_groups.describe_tags,
    "PutWarmPool": autoscaling_pool.put_warm_pool,
    "DescribeWarmPool": autoscaling_pool.describe_warm_pool,
    "DeleteWarmPool": autoscaling_pool.delete_warm_pool,
    "PutLifecycleHook": autoscaling_hooks.put_lifecycle_hook,
    "DescribeLifecycleHooks": autoscaling_hooks.describe_lifecycle_hooks,
    "DeleteLifecycleHook": autoscaling_hooks.delete_lifecycle_hook,
    "CompleteLifecycleAction": autoscaling_hooks.complete_lifecycle_action,
    "RecordLifecycleActionHeartbeat": autoscaling_hooks.record_lifecycle_action_heartbeat,
    "DescribeAutoScalingInstances": autoscaling_members.describe_auto_scaling_instances,
    "DescribeScalingActivities": autoscaling_members.describe_scaling_activities,
    "SetInstanceProtection": autoscaling_members.set_instance_protection,
    "SetInstanceHealth": autoscaling_members.set_instance_health,
    "TerminateInstanceInAutoScalingGroup": (
        autoscaling_members.terminate_instance_in_auto_scaling_group
    ),
    "StartInstanceRefresh": autoscaling_refreshes.start_instance_refresh,
    "DescribeInstanceRefreshes": autoscaling_refreshes.describe_instance_refreshes,
    "CancelInstanceRefresh": autoscaling_refreshes.cancel_instance_refresh,
    "PutScalingPolicy": autoscaling_policies.put_scaling_policy,
    "DescribePolicies": autoscaling_policies.describe_policies,
    "DeletePolicy": autoscaling_policies.delete_policy,
    "ExecutePolicy": autoscaling_policies.execute_policy,
    "DescribeLifecycleHookTypes": _constant(
        {"LifecycleHookTypes": [kind.value for kind in HookKind]}
    ),
    "DescribeAdjustmentTypes": _constant(
        {"AdjustmentTypes": [{"AdjustmentType": name} for name in ADJUSTMENT_TYPES]}
    ),
    "DescribeScalingProcessTypes": _constant(
        {"Processes": [{"ProcessName": name} for name in sorted(PROCESSES)]}
    ),
    "DescribeTerminationPolicyTypes": _constant(
        {"TerminationPolicyTypes": sorted(TERMINATION_POLICIES)}
    ),
}


def answer_query(
    service: AutoScalingService, operation: str, parameters: Mapping[str, str]
) -> tuple[int, bytes]:
    """HTTP status and XML body of one call of the query protocol."""
    request_id = str(uuid4())
    try:
        output = _answer(service, operation, parse_request(operation, parameters))
    except AutoScalingError as error:
        return error.http_status, error_xml(error, request_id)
    return 200, success_xml(operation, output, request_id)


def call(service: AutoScalingService, operation: str, request: Mapping[str, Any]) -> Any:
    """One call with its input as the API names it, checked; raises AutoScalingError."""
    check(input_shape(operation), request)
    return _answer(service, operation, request)


def _answer(
    service: AutoScalingService, operation: str, request: Mapping[str, Any]
) -> Mapping[str, Any]:
    if operation == "PutLifecycleHook":
        autoscaling_hooks.tell_target(service, request)
    with service.lock:
        return OPERATIONS[operation](service, request)
