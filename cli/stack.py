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
    """A stack of template.yaml in `cloud`; its outputs are read once."""

    name: str
    cloud: Cloud

    @property
    def group_name(self) -> str:
        return group_name(self.name)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs. Raises CommandError when there is no such stack."""
        try:
            answer = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise  # not allowed, or no longer: that says nothing about the stack
            raise CommandError(
                f"There is no stack {self.name!r} here: {error}. Deploy it with `sam deploy`, or "
                "name another by --stack-name."
            ) from error
        outputs = answer["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def output(self, key: str) -> str:
        """One output; raises CommandError naming it when the stack has none such."""
        if key not in self.outputs:
            raise CommandError(
                f"Stack {self.name!r} has no output {key}; it has "
                f"{', '.join(self.outputs) or 'none yet'}. Is it complete, and made from this "
                "repository's template.yaml?"
            )
        return self.outputs[key]
