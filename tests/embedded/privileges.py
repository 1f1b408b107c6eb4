"""A deployed stack that stands still, so that one statement of a role can be tried at a time."""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.deploy import ROOT
from local.cloud import EmbeddedCloud
from pilotlight.errors import PilotlightError
from tests.embedded.patience import until
from tests.embedded.whole_stack import Fleet

DENIALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
# Lambda's own way to refuse what a function's role may not do.
LAMBDA_REFUSAL = "InvalidParameterValueException"
FUNCTION_OF_ROLE = {
    "OnLifecycleActionRole": "on_lifecycle_action",
    "OnCommandResultRole": "on_command_result",
    "OnQueueDepthRole": "on_queue_depth",
    "ReconcileRole": "reconcile",
}
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"

Policy = dict[str, Any]


class Stage:
    """The stack's roles, functions and names. Nothing happens in it but what a test does."""

    def __init__(self, cloud: EmbeddedCloud, fleet: Fleet) -> None:
        self.name = fleet.name
        self.group = fleet.stack.group_name
        self.cloud = cloud
        self._resources = physical_ids(cloud, fleet.name)
        self._clients: dict[tuple[str, str], Any] = {}
        self._policies: dict[str, Policy] = {}
        self._sessions: dict[str, Mapping[str, str]] = {}
        self._functions: dict[str, ModuleType] = {}
        self._quieten()
        self.ours = self._launch(self.group)
        self.theirs = self._launch(f"{self.name}-x-workers")

    def roles(self) -> list[str]:
        """Logical ids of the stack's roles."""
        return [name for name in self._resources if name.endswith("Role")]

    def resource(self, logical_id: str) -> str:
        """Physical id; of a queue its URL."""
        return self._resources[logical_id]

    def root(self, service: str) -> Any:
        """A boto3 client as the account's root."""
        return self._kept("", service)

    def client(self, role: str, service: str) -> Any:
        """A boto3 client as whoever has the role."""
        return self._kept(role, service)

    def policy(self, role: str) -> Policy:
        """The role's one inline policy, as the stack made it."""
        if role not in self._policies:
            iam, name = self.root("iam"), self.resource(role)
            [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
            found = iam.get_role_policy(RoleName=name, PolicyName=policy)
            self._policies[role] = {"Name": policy, "Document": found["PolicyDocument"]}
        return self._policies[role]

    @contextmanager
    def without(self, role: str, *rights: tuple[str, str]) -> Iterator[None]:
        """The role loses actions of statements, and a statement with its last one."""
        policy = self.policy(role)
        document = copy.deepcopy(policy["Document"])
        for sid, action in rights:
            [statement] = [one for one in document["Statement"] if one["Sid"] == sid]
            statement["Action"] = [it for it in actions_of(statement) if it != action]
        document["Statement"] = [one for one in document["Statement"] if one["Action"]]
        self._put(role, policy["Name"], document)
        try:
            yield
        finally:
            self._put(role, policy["Name"], policy["Document"])

    def function(self, role: str) -> ModuleType:
        """The function's module as at its cold start: its settings, its clients, its role."""
        if role not in self._functions:
            self._functions[role] = self._cold_start(FUNCTION_OF_ROLE[role], self._session(role))
        return self._functions[role]

    def function_name(self, role: str) -> str:
        return f"{self.name}-{FUNCTION_OF_ROLE[role].replace('_', '-')}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:us-east-1:000000000000:{resource}"

    def _cold_start(self, name: str, session: Mapping[str, str]) -> ModuleType:
        config = self.root("lambda").get_function_configuration(
            FunctionName=f"{self.name}-{name.replace('_', '-')}"
        )
        environment = {
            **config["Environment"]["Variables"],
            **self.cloud.environment(),
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }
        path = ROOT / "functions" / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"{name}_of_{self.name}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps another role's keys
            for variable, value in environment.items():
                patched.setenv(variable, value)
            spec.loader.exec_module(module)
        return module

    def _session(self, role: str) -> Mapping[str, str]:
        """Credentials of the role; the account's root is let in beside the service it is for."""
        if role not in self._sessions:
            iam, name = self.root("iam"), self.resource(role)
            found = iam.get_role(RoleName=name)["Role"]
            trust = found["AssumeRolePolicyDocument"]
            trust["Statement"].append(
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                }
            )
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
            answer = self.root("sts").assume_role(
                RoleArn=found["Arn"], RoleSessionName="one-statement"
            )
            self._sessions[role] = answer["Credentials"]
        return self._sessions[role]

    def _kept(self, role: str, service: str) -> Any:
        """Making a client costs more than a call."""
        if (role, service) not in self._clients:
            session = self._session(role) if role else None
            self._clients[role, service] = self.cloud.client(service, session)
        return self._clients[role, service]

    def _put(self, role: str, policy: str, document: Policy) -> None:
        self.root("iam").put_role_policy(
            RoleName=self.resource(role),
            PolicyName=policy,
            PolicyDocument=json.dumps(document),
        )

    def _quieten(self) -> None:
        """No queue and no schedule calls a function any more."""
        functions, events = self.root("lambda"), self.root("events")
        for name in map(self.function_name, FUNCTION_OF_ROLE):
            for mapping in functions.list_event_source_mappings(FunctionName=name)[
                "EventSourceMappings"
            ]:
                functions.delete_event_source_mapping(UUID=mapping["UUID"])
        for rule in events.list_rules()["Rules"]:
            if rule["Name"].startswith(self.name) and "ScheduleExpression" in rule:
                events.disable_rule(Name=rule["Name"])

    def _launch(self, group: str) -> str:
        """An instance that looks like a member of `group`, its agent online."""
        ssm = self.root("ssm")
        tags = [{"Key": "aws:autoscaling:groupName", "Value": group}]
        launched = self.root("ec2").run_instances(
            ImageId=ssm.get_parameter(Name=IMAGE)["Parameter"]["Value"],
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        instance_id = str(launched["Instances"][0]["InstanceId"])
        filters = [{"Key": "InstanceIds", "Values": [instance_id]}]
        assert until(
            lambda: ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]
        )
        return instance_id


def physical_ids(cloud: EmbeddedCloud, stack: str) -> dict[str, str]:
    """Of a stack's resources by their logical ids."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources")
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for one in page["StackResourceSummaries"]
    }


@dataclass(frozen=True)
class Deed:
    """What `role` does, and by which action of which statement it may."""

    role: str
    sid: str
    action: str
    do: Callable[[Stage], object]

    @property
    def right(self) -> tuple[str, str, str]:
        return (self.role, self.sid, self.action)


def refusal(do: Callable[[], object]) -> str:
    """The words by which AWS denies it; empty when it is allowed, whatever comes of it then."""
    try:
        do()
    except ClientError as error:
        return denial_in(error)
    except PilotlightError as error:
        return denial_in(error.__cause__)
    return ""


def denial_in(error: BaseException | None) -> str:
    if not isinstance(error, ClientError):
        return ""
    code, words = error.response["Error"]["Code"], error.response["Error"]["Message"]
    refused_by_lambda = code == LAMBDA_REFUSAL and "does not have permissions" in words
    return words if code in DENIALS or refused_by_lambda else ""


def actions_of(statement: Mapping[str, Any]) -> list[str]:
    actions = statement["Action"]
    return list(actions) if isinstance(actions, list) else [actions]
