"""botocore's service models, compiled into checks: no stand-in for a service can drift from AWS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

Check = Callable[[Any, str], Any]
_NUMBERS = frozenset({"integer", "long", "float", "double"})
_LOADER = Loader()
BLOBS = (bytes, bytearray, str, BytesIO)  # the last is one that is read bit by bit
FIRST_CALLS = 200
ONE_OF = 16


class ShapeError(AssertionError):
    """A request or an answer is not what botocore's model of the service says."""


@cache
def service_model(service: str) -> ServiceModel:
    return ServiceModel(_LOADER.load_service_model(service, "service-2"), service)


@cache
def paginators(service: str) -> Mapping[str, Any]:
    pages: Mapping[str, Any] = _LOADER.load_service_model(service, "paginators-1")["pagination"]
    return pages


@cache
def operations(service: str) -> Mapping[str, str]:
    """boto3's name of each operation to AWS's."""
    return {xform_name(name): name for name in service_model(service).operation_names}


def operation_model(service: str, operation: str) -> OperationModel:
    return service_model(service).operation_model(operation)


@cache
def check_of_request(service: str, operation: str) -> Check:
    return _check_of(operation_model(service, operation).input_shape, {}, is_answer=False)


@cache
def check_of_answer(service: str, operation: str) -> Check:
    """Also makes the answer what boto3 hands out: no nulls, times as datetimes."""
    return _check_of(operation_model(service, operation).output_shape, {}, is_answer=True)


class Sampled:
    """Checks the first calls of an operation, and then one of many: a thousandth one that looks
    like the others tells nothing new. Answers are made boto3's in any case."""

    def __init__(self, service: str, operation: str) -> None:
        self._operation = operation
        self._request = check_of_request(service, operation)
        self._answer = check_of_answer(service, operation)
        self._tidy = _tidier_of(operation_model(service, operation).output_shape, {})
        self._calls = 0

    def request(self, request: Mapping[str, Any]) -> None:
        self._calls += 1
        if self._is_checked:
            self._request(request, self._operation)

    def answer(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._is_checked or self._tidy is None:
            checked: Mapping[str, Any] = self._answer(answer, self._operation)
            return checked
        tidied: Mapping[str, Any] = self._tidy(answer)
        return tidied

    @property
    def _is_checked(self) -> bool:
        return self._calls <= FIRST_CALLS or self._calls % ONE_OF == 0


@cache
def sampled(service: str, operation: str) -> Sampled:
    return Sampled(service, operation)


def _tidier_of(shape: Any, known: dict[str, Any]) -> Callable[[Any], Any] | None:
    """Without checks; None for what is good as it is, or contains itself."""
    if shape is None or shape.name in known:
        return None
    known[shape.name] = True
    tidier: Callable[[Any], Any] | None = None
    if shape.type_name == "structure":
        members = {name: _tidier_of(it, known) for name, it in shape.members.items()}
        tidier = _tidy_structure(members)
    elif shape.type_name == "list":
        member = _tidier_of(shape.member, known)
        if member is not None:
            tidier = lambda value: [member(item) for item in value]  # noqa: E731
    elif shape.type_name == "timestamp":
        tidier = lambda value: _timestamp(value, shape.name)  # noqa: E731
    del known[shape.name]
    return tidier


def _tidy_structure(members: Mapping[str, Callable[[Any], Any] | None]) -> Callable[[Any], Any]:
    def tidy(value: Mapping[str, Any]) -> Mapping[str, Any]:
        tidied = {}
        for key, member in value.items():
            if member is not None:
                change = members[key]
                tidied[key] = member if change is None else change(member)
        return tidied

    return tidy


def _check_of(shape: Any, known: dict[str, list[Check]], *, is_answer: bool) -> Check:
    if shape is None:
        return _nothing
    if shape.name in known:  # a shape that contains itself, as DynamoDB's values do
        later = known[shape.name]
        return lambda value, path: later[0](value, path)
    slot: list[Check] = []
    known[shape.name] = slot
    kind = shape.type_name
    if kind == "structure":
        members = {
            name: _check_of(member, known, is_answer=is_answer)
            for name, member in shape.members.items()
        }
        check = _structure(shape.name, members, set(shape.required_members), is_answer)
    elif kind == "list":
        check = _list(_check_of(shape.member, known, is_answer=is_answer), shape.metadata)
    elif kind == "map":
        check = _map(_check_of(shape.value, known, is_answer=is_answer))
    elif kind == "timestamp":
        check = _timestamp
    else:
        check = _scalar(kind, shape.metadata, is_answer)
    slot.append(check)
    del known[shape.name]
    return check


def _nothing(value: Any, path: str) -> Any:
    if value:
        raise ShapeError(f"{path}: nothing is expected, and it is {value!r}")
    return {}


def _structure(name: str, members: dict[str, Check], required: set[str], is_answer: bool) -> Check:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            raise ShapeError(f"{path} is {value!r}: a {name} is expected")
        checked = {}
        for key, member in value.items():
            if key not in members:
                raise ShapeError(f"{path}.{key}: a {name} has no such member")
            if member is None and is_answer:
                continue
            checked[key] = members[key](member, f"{path}.{key}")
        missing = required - checked.keys()
        if missing:
            raise ShapeError(f"{path}: {', '.join(sorted(missing))} is missing")
        return checked

    return check


def _list(member: Check, bounds: Mapping[str, Any]) -> Check:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, list | tuple):
            raise ShapeError(f"{path} is {value!r}: a list is expected")
        _within(len(value), bounds, path)
        return [member(item, path) for item in value]

    return check


def _map(member: Check) -> Check:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            raise ShapeError(f"{path} is {value!r}: a map is expected")
        return {key: member(item, f"{path}.{key}") for key, item in value.items()}

    return check


def _timestamp(value: Any, path: str) -> Any:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    raise ShapeError(f"{path} is {value!r}: a time is expected")


def _scalar(kind: str, bounds: Mapping[str, Any], is_answer: bool) -> Check:
    types: Any = {"string": str, "boolean": bool, "blob": BLOBS}.get(kind)
    if kind in _NUMBERS:
        types = int if kind in ("integer", "long") else int | float
    pattern = re.compile(bounds["pattern"]) if _usable(bounds, is_answer) else None

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and kind != "boolean"):
            raise ShapeError(f"{path} is {value!r}: a {kind} is expected")
        if is_answer:  # AWS's answers keep to no bounds of their own models
            return value
        if kind == "string":
            _within(len(value), bounds, path)
        elif kind in _NUMBERS:
            _within(value, bounds, path)
        if pattern is not None and not pattern.match(value):
            raise ShapeError(f"{path} is {value!r}: {bounds['pattern']} is expected")
        if "enum" in bounds and value not in bounds["enum"]:
            raise ShapeError(f"{path} is {value!r}: one of {bounds['enum']} is expected")
        return value

    return check


def _usable(bounds: Mapping[str, Any], is_answer: bool) -> bool:
    """Models hold Java's expressions; those that Python does not know are left out."""
    if is_answer or "pattern" not in bounds:
        return False
    try:
        re.compile(bounds["pattern"])
    except re.error:
        return False
    return True


def _within(size: float, bounds: Mapping[str, Any], path: str) -> None:
    if size < bounds.get("min", size) or size > bounds.get("max", size):
        raise ShapeError(f"{path}: {size} is not within {bounds.get('min')} to {bounds.get('max')}")
