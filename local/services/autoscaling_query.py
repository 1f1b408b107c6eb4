"""The query protocol of Auto Scaling, both ways, driven by botocore's model of the service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape, StructureShape

from local.group.errors import AutoScalingError, ValidationError

_ABSENT = object()


@cache
def service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("autoscaling", "service-2"), "autoscaling")


def input_shape(operation: str) -> StructureShape:
    """Operations without input (DescribeAdjustmentTypes) have a shape without members."""
    shape = service_model().operation_model(operation).input_shape
    return shape if shape is not None else StructureShape("Nothing", {"type": "structure"})


def parse_request(operation: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Form parameters as the operation's input; raises ValidationError in AWS's wording."""
    shape = input_shape(operation)
    value = _parse(shape, parameters, "")
    request: dict[str, Any] = {} if value is _ABSENT else value
    check(shape, request)
    return request


def check(shape: StructureShape, request: Mapping[str, Any]) -> None:
    """Raise ValidationError that lists every constraint of the model that does not hold."""
    faults = list(_faults(shape, request, ""))
    if faults:
        plural = "s" if len(faults) > 1 else ""
        raise ValidationError(
            f"{len(faults)} validation error{plural} detected: {'; '.join(faults)}"
        )


def success_xml(operation: str, output: Mapping[str, Any], request_id: str) -> bytes:
    model = service_model()
    shape = model.operation_model(operation).output_shape
    result = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
        result = _element(wrapper, shape, output)
    namespace = model.metadata["xmlNamespace"]
    return (
        f'<{operation}Response xmlns="{namespace}">{result}<ResponseMetadata><RequestId>'
        f"{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def error_xml(error: AutoScalingError, request_id: str) -> bytes:
    namespace = service_model().metadata["xmlNamespace"]
    kind = "Sender" if error.http_status < 500 else "Receiver"
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{kind}</Type><Code>{error.code}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId>"
        "</ErrorResponse>"
    ).encode()


def _parse(shape: Any, parameters: Mapping[str, str], prefix: str) -> Any:
    if shape.type_name == "structure":
        return _parse_structure(shape, parameters, prefix)
    if shape.type_name == "list":
        return _parse_list(shape, parameters, prefix)
    if prefix not in parameters:
        return _ABSENT
    return _scalar(shape, parameters[prefix], prefix)


def _parse_structure(shape: Any, parameters: Mapping[str, str], prefix: str) -> Any:
    start = f"{prefix}." if prefix else ""
    if not any(name.startswith(start) for name in parameters):
        return _ABSENT
    found = {
        name: _parse(member, parameters, f"{start}{name}") for name, member in shape.members.items()
    }
    return {name: value for name, value in found.items() if value is not _ABSENT}


def _parse_list(shape: Any, parameters: Mapping[str, str], prefix: str) -> Any:
    pattern = re.compile(re.escape(prefix) + r"\.member\.(\d+)(?:\.|$)")
    numbers = {int(match[1]) for name in parameters if (match := pattern.match(name))}
    if not numbers:
        return [] if prefix in parameters else _ABSENT
    return [
        _parse(shape.member, parameters, f"{prefix}.member.{number}") for number in sorted(numbers)
    ]


def _scalar(shape: Shape, text: str, name: str) -> Any:
    try:
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name in ("double", "float"):
            return float(text)
        if shape.type_name == "timestamp":
            return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise ValidationError(
            f"Value '{text}' at '{name}' is not of type {shape.type_name}."
        ) from error
    if shape.type_name == "boolean":
        return text.lower() == "true"
    return text


def _faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            here = f"{path}.{_lower(name)}" if path else _lower(name)
            if name in value:
                yield from _faults(member, value[name], here)
            elif name in shape.required_members:
                yield _fault("null", here, "Member must not be null")
        return
    if shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _faults(shape.member, item, f"{path}.{number}.member")
    for constraint in _broken(shape, value):
        yield _fault(f"'{value}'", path, f"Member must {constraint}")


def _broken(shape: Any, value: Any) -> Iterator[str]:
    bounds = shape.metadata
    if shape.type_name in ("string", "list"):
        size, words = len(value), "have length"
    elif shape.type_name in ("integer", "long", "double", "float"):
        size, words = value, "have value"
    else:
        return
    if "min" in bounds and size < bounds["min"]:
        yield f"{words} greater than or equal to {bounds['min']}"
    if "max" in bounds and size > bounds["max"]:
        yield f"{words} less than or equal to {bounds['max']}"
    if "enum" in bounds and value not in bounds["enum"]:
        yield f"satisfy enum value set: [{', '.join(bounds['enum'])}]"


def _fault(value: str, path: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _element(tag: str, shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        inner = "".join(
            _element(name, member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        )
    elif shape.type_name == "list":
        inner = "".join(_element("member", shape.member, item) for item in value)
    else:
        inner = escape(_text(shape, value))
    return f"<{tag}>{inner}</{tag}>"


def _text(shape: Shape, value: Any) -> str:
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        moment = datetime.fromtimestamp(value, UTC) if isinstance(value, float) else value
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
