"""CloudFormation's UpdatePolicy AutoScalingInstanceRefresh, which stock ministack ignores.

Template reference, aws-attribute-updatepolicy: an update of one of `TRIGGERS` starts an instance
refresh and lasts until that is over. When it fails the stack rolls back, and another refresh brings
the previous configuration back. Whether CloudFormation updates the group before it, or gives the
refresh a desired configuration, is not said; ReplaceRootVolume needs the latter, so here it is that
for both, and the group has its new launch template when the refresh has succeeded.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

TRIGGERS = (
    "LaunchTemplate",
    "MixedInstancesPolicy",
    "VPCZoneIdentifier",
    "AvailabilityZones",
    "AvailabilityZoneIds",
    "PlacementGroup",
)
Properties = Mapping[str, Any]


class Deployed(NamedTuple):
    """What a stack is brought to: its template and the resolved values of its parameters."""

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]


_deployed: ContextVar[Deployed | None] = ContextVar("deployed", default=None)


def install() -> None:
    """Let handlers know the template, which stock keeps from them, and send back a group whose
    refresh has failed: stock takes a resource whose own update failed for unchanged.

    During a rollback it is the template from before the update (same page, on the other policy of
    this kind).
    """
    from ministack.services.cloudformation import changesets, handlers, stacks

    stock_deploy = stacks._deploy_stack_async
    stock_roll_back = stacks._roll_back_operation
    stock_sends_back = stacks._sends_back_failed_update

    async def deploy(
        stack_name: str, stack_id: str, template: Any, param_values: Any, *more: Any, **named: Any
    ) -> None:
        with _deploying(Deployed(template, param_values)):
            await stock_deploy(stack_name, stack_id, template, param_values, *more, **named)

    async def roll_back(
        stack_name: str, stack_id: str, stack: Any, operation: Any, *more: Any, **named: Any
    ) -> None:
        previous = operation.get("previous_stack") or {}
        before = Deployed(previous.get("_template", {}), previous.get("_resolved_params", {}))
        with _deploying(before):
            await stock_roll_back(stack_name, stack_id, stack, operation, *more, **named)

    def sends_back(resource_type: str) -> bool:
        is_group = resource_type == "AWS::AutoScaling::AutoScalingGroup"
        return is_group or bool(stock_sends_back(resource_type))

    for module in (stacks, handlers, changesets):
        module._deploy_stack_async = deploy
    for module in (stacks, handlers):
        module._roll_back_operation = roll_back
    stacks._sends_back_failed_update = sends_back


@contextmanager
def _deploying(deployed: Deployed) -> Iterator[None]:
    token = _deployed.set(deployed)
    try:
        yield
    finally:
        _deployed.reset(token)


def is_due(policy: Properties | None, old: Properties, new: Properties) -> bool:
    return policy is not None and any(old.get(name) != new.get(name) for name in TRIGGERS)


def policy_of(stack_name: str, logical_id: str) -> dict[str, Any] | None:
    """The group's AutoScalingInstanceRefresh as the template has it, its intrinsics resolved."""
    from ministack.services.cloudformation import _stacks, engine

    deployed = _deployed.get()
    if deployed is None:
        return None
    template, parameters = deployed
    declared = template.get("Resources", {}).get(logical_id, {}).get("UpdatePolicy", {})
    if "AutoScalingInstanceRefresh" not in declared:
        return None
    stack = _stacks[stack_name]
    resolved: dict[str, Any] = engine._resolve_refs(
        copy.deepcopy(declared["AutoScalingInstanceRefresh"]),
        stack.get("_resources", {}),
        parameters,
        engine._evaluate_conditions(template, parameters),
        template.get("Mappings", {}),
        stack_name,
        stack["StackId"],
    )
    return resolved
