"""One deployed stack: the names of what it made, and clients to reach it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from botocore.exceptions import ClientError

from cli.errors import CommandError


class Cloud(Protocol):
    """Where AWS is: the embedded one, or the account which the SDK's own settings name."""

    def client(self, service: str) -> Any:
        """A boto3 client of `service`, e.g. "sqs"."""


def group_name(stack_name: str) -> str:
    """The template names the group explicitly, so that it is known before the stack is there."""
    return f"{stack_name}-workers"


@dataclass(frozen=True)
class Stack:
    """A stack of template.yaml in `cloud`; the names of what is in it are read once."""

    name: str
    cloud: Cloud

    @property
    def group_name(self) -> str:
        return group_name(self.name)

    @cached_property
    def resources(self) -> dict[str, str]:
        """Physical ids by logical ids. Raises CommandError when there is no such stack."""
        pages = self.cloud.client("cloudformation").get_paginator("list_stack_resources")
        try:
            return {
                resource["LogicalResourceId"]: resource["PhysicalResourceId"]
                for page in pages.paginate(StackName=self.name)
                for resource in page["StackResourceSummaries"]
                if resource.get("PhysicalResourceId")
            }
        except ClientError as error:
            raise CommandError(
                f"There is no stack {self.name!r} here: {error}. Deploy it with `sam deploy`, or "
                "name another by --stack-name."
            ) from error

    def resource(self, logical_id: str) -> str:
        """A queue's URL, a table's or log group's name; raises CommandError when it has none."""
        if logical_id not in self.resources:
            raise CommandError(
                f"Stack {self.name!r} has no {logical_id}: was it made from this repository's "
                "template.yaml, and with a jobs queue of its own?"
            )
        return self.resources[logical_id]
