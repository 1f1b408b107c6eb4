"""boto3's clients as the code under test sees them, over services that live in virtual time.

Every request is checked against botocore's model before a service sees it, and every answer before
the caller does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError
from botocore.paginate import Paginator

from faults.shapes import operation_model, operations, paginators, sampled
from local.group.errors import AutoScalingError
from local.services.ssm_errors import SsmError


class RefusedError(Exception):
    """What a service here refuses; `code` is AWS's, `more` what its answer says beside it."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code = code
        self.more = more


# Those of the services that are shared with the embedded AWS have errors of their own.
REFUSALS = (RefusedError, AutoScalingError, SsmError)
Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Caller(Protocol):
    """Who makes a call: a function's environment, or a worker on an instance."""

    @property
    def kind(self) -> str:
        """`functions` or `workers`."""
        ...

    @property
    def name(self) -> str: ...

    def crash(self) -> None:
        """The process ends here and now; does not return."""


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody asks of a service; `act` answers a request, or a part of it."""

    caller: Caller
    service: str
    operation: str
    request: Mapping[str, Any]
    act: Answer


class Wire(Protocol):
    """The way from a caller to AWS and back."""

    def carry(self, call: Call) -> Mapping[str, Any]:
        """Makes the call, or what a fault makes of it. Raises what boto3 raises."""
        ...


class Client:
    """`client.complete_lifecycle_action(...)` and the like, paginators included."""

    def __init__(
        self, service: str, answers: Mapping[str, Answer], wire: Wire, caller: Caller
    ) -> None:
        self._service = service
        self._answers = answers
        self._wire = wire
        self._caller = caller

    def __getattr__(self, name: str) -> Callable[..., Mapping[str, Any]]:
        operation = operations(self._service).get(name)
        if operation is None:
            raise AttributeError(f"{self._service} has no operation {name}")
        if operation not in self._answers:
            raise NotImplementedError(f"{self._service}.{operation} has no stand-in: write one")

        def call(**request: Any) -> Mapping[str, Any]:
            return self._call(operation, request)

        self.__dict__[name] = call
        return call

    def get_paginator(self, name: str) -> Paginator[Any]:
        operation = operations(self._service)[name]
        model = operation_model(self._service, operation)
        return Paginator(getattr(self, name), paginators(self._service)[operation], model)

    def _call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        shapes = sampled(self._service, operation)
        shapes.request(request)

        def act(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
            try:
                told = self._answers[operation](wanted)
            except REFUSALS as error:
                more = getattr(error, "more", {})
                raise client_error(error.code, str(error), operation, **more) from error
            return shapes.answer(told)

        return self._wire.carry(Call(self._caller, self._service, operation, request, act))


class Session:
    """boto3's session, as the worker makes one."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def client(self, service: str, config: object = None, **_: object) -> Any:  # noqa: ARG002
        return self._client(service)


def client_error(
    code: str, message: str, operation: str, status: int = 400, **more: Any
) -> ClientError:
    response: Any = {
        **more,
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, operation)
