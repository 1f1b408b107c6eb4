"""CloudFormation: parameters that name things of the account, and types which stock lacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local.context import CloudContext
from local.seams import images


def install(_context: CloudContext) -> None:
    """Refuse what cannot be deployed before anything is created; add missing types."""
    require_existing_parameter_values()
    provision_query_definitions()
    keep_function_settings()
    end_processes_of_deleted_functions()


def require_existing_parameter_values() -> None:
    """Stock takes any text for AWS-specific parameter types; AWS looks whether it exists.

    CloudFormation guide, cloudformation-supplied-parameter-types. Also applied to the value which
    an AWS::SSM::Parameter::Value<type> resolves to.
    """
    from ministack.services.cloudformation import changesets, engine, handlers

    stock = engine._resolve_parameters

    def resolve_parameters(
        template: dict[str, Any], provided: list[dict[str, Any]], previous: Any = None
    ) -> dict[str, Any]:
        resolved: dict[str, Any] = stock(template, provided, previous)
        for name, parameter in resolved.items():
            for value in missing_values(parameter["Type"], str(parameter["Value"])):
                raise ValueError(
                    f"Parameter validation failed: parameter value {value} for parameter name "
                    f"{name} does not exist"
                )
        return resolved

    for module in (engine, changesets, handlers):
        module._resolve_parameters = resolve_parameters


def missing_values(parameter_type: str, value: str) -> list[str]:
    """The values of `value` (parted by commas) which the account does not have."""
    wrapped = re.search(r"<(.+?)>*$", parameter_type)
    kind = wrapped.group(1).removeprefix("List<") if wrapped else parameter_type
    exists = lookups().get(kind)
    if exists is None:
        return []
    values = value.split(",") if "List<" in parameter_type else [value]
    return [one for one in (each.strip() for each in values) if not exists(one)]


def lookups() -> dict[str, Callable[[str], bool]]:
    """By AWS-specific parameter type: whether the account has one of that id."""
    from ministack.services import ec2

    return {
        "AWS::EC2::Image::Id": images.exists,
        "AWS::EC2::KeyPair::KeyName": ec2._key_pairs.__contains__,
        "AWS::EC2::SecurityGroup::Id": ec2._security_groups.__contains__,
        "AWS::EC2::Subnet::Id": ec2._subnets.__contains__,
        "AWS::EC2::VPC::Id": ec2._vpcs.__contains__,
    }


def provision_query_definitions() -> None:
    """Stock does not know AWS::Logs::QueryDefinition and refuses the template."""
    from ministack.services.cloudformation import provisioners

    from local.seams import logs

    def create(_logical_id: str, props: dict[str, Any], _stack_name: str) -> Any:
        query_id = logs.put_query_definition(props)
        return query_id, {"QueryDefinitionId": query_id}

    def update(physical_id: str, _old: Any, props: dict[str, Any], _stack: str) -> Any:
        logs.put_query_definition({**props, "QueryDefinitionId": physical_id})
        return physical_id, {"QueryDefinitionId": physical_id}

    def delete(physical_id: str, _props: dict[str, Any]) -> None:
        logs.delete_query_definition(physical_id)

    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
        "create": create,
        "update": update,
        "delete": delete,
    }


def keep_function_settings() -> None:
    """Stock drops RecursiveLoop, DeadLetterConfig and reserved concurrency of a function."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    steps = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    stock_create, stock_update = steps["create"], steps["update"]

    def keep(name: str, props: dict[str, Any]) -> None:
        record = lambda_svc._functions[name]
        record["recursive_loop"] = props.get("RecursiveLoop", "Terminate")
        record["concurrency"] = props.get("ReservedConcurrentExecutions")
        record["config"]["DeadLetterConfig"] = props.get("DeadLetterConfig", {})

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = stock_create(logical_id, props, stack_name)
        keep(made[0], props)
        return made

    def update(
        physical_id: str, old: Any, props: dict[str, Any], stack_name: str, *more: Any
    ) -> Any:
        updated = stock_update(physical_id, old, props, stack_name, *more)
        keep(updated[0], props)
        return updated

    steps.update(create=create, update=update)


def end_processes_of_deleted_functions() -> None:
    """Stock ends a function's processes with DeleteFunction, but not with a stack."""
    from ministack.core import lambda_runtime
    from ministack.services.cloudformation import provisioners

    steps = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    stock = steps["delete"]

    def delete(physical_id: str, props: dict[str, Any]) -> None:
        stock(physical_id, props)
        lambda_runtime.invalidate_worker(physical_id)

    steps["delete"] = delete
