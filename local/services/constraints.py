"""The bounds that a botocore service model states, refused in AWS's wording.

botocore itself checks types, required members and minima on the caller's side; maxima and
enumerations it leaves to the service. Patterns are left out: they are not in Python's syntax.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, Shape, StringShape, StructureShape


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Each constraint that `value` breaks, as AWS words them in a ValidationException.

    `path` is lower camel case with `.member` for list entries, as AWS prints it.
    """
    if isinstance(shape, StructureShape):
        yield from _structure_violations(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _bound_violations(shape, value, len(value), "length", path)
        for number, item in enumerate(value, start=1):
            yield from violations(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, StringShape):
        yield from _string_violations(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _bound_violations(shape, value, value, "value", path)


def refusal(shape: Shape, request: Mapping[str, Any]) -> str | None:
    """One message for all violations of a request, None when there is none."""
    found = list(violations(shape, request))
    if not found:
        return None
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def _structure_violations(
    shape: StructureShape, value: Mapping[str, Any], path: str
) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield _violation(None, _join(path, name), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from violations(member, value[name], _join(path, name))


def _string_violations(shape: StringShape, value: str, path: str) -> Iterator[str]:
    yield from _bound_violations(shape, value, len(value), "length", path)
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield _violation(value, path, f"Member must satisfy enum value set: [{allowed}]")


def _bound_violations(
    shape: Shape, value: Any, measure: float, noun: str, path: str
) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and measure < minimum:
        yield _violation(value, path, f"Member must have {noun} greater than or equal to {minimum}")
    if maximum is not None and measure > maximum:
        yield _violation(value, path, f"Member must have {noun} less than or equal to {maximum}")


def _violation(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _join(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member
