"""Parameters of a Command document: what is allowed, and how a value reaches the script.

User guide, "Data elements and parameters" and "Writing SSM document content".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.services.ssm_errors import SsmError

_TYPES = frozenset({"String", "StringList", "Integer", "Boolean"})
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")

Value = str | list[str]


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One entry of `parameters`. `default` None means that SendCommand must give a value."""

    name: str
    type: str
    description: str
    default: Value | None
    allowed_pattern: str | None
    allowed_values: Sequence[str]
    min_chars: int
    max_chars: int | None
    is_environment_variable: bool


def parse_parameters(section: object) -> dict[str, ParameterSpec]:
    """Read the `parameters` section; raises SsmError InvalidDocumentContent."""
    if not isinstance(section, dict):
        raise SsmError("InvalidDocumentContent", "parameters must be a mapping.")
    return {name: _parse_parameter(name, body) for name, body in section.items()}


def bind_parameters(
    specs: Mapping[str, ParameterSpec], given: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Value], dict[str, str]]:
    """Values for text substitution, and environment variables of ENV_VAR parameters.

    An ENV_VAR parameter is never put into the text: that is its whole point (user guide, "Use the
    interpolation parameter to improve security"). Raises SsmError InvalidParameters.
    """
    unknown = sorted(set(given) - set(specs))
    if unknown:
        raise SsmError("InvalidParameters", f'Parameter "{unknown[0]}" is not in the document.')
    values = {name: _bind(spec, given.get(name)) for name, spec in specs.items()}
    hidden = {name for name, spec in specs.items() if spec.is_environment_variable}
    environment = {f"SSM_{name}": as_text(values[name]) for name in hidden}
    return {name: value for name, value in values.items() if name not in hidden}, environment


def substitute(text: Any, values: Mapping[str, Value]) -> Any:
    """Replace each `{{ name }}` of a known parameter, in a string or in a list of strings.

    A StringList that stands alone becomes its lines; inside of other text it becomes JSON.
    """
    if isinstance(text, list):
        expanded = (substitute(item, values) for item in text)
        return [line for item in expanded for line in (item if isinstance(item, list) else [item])]
    if not isinstance(text, str):
        return text
    alone = _PLACEHOLDER.fullmatch(text.strip())
    if alone and isinstance(values.get(alone[1]), list):
        return values[alone[1]]
    return _PLACEHOLDER.sub(
        lambda match: as_text(values[match[1]]) if match[1] in values else match[0], text
    )


def as_text(value: Value) -> str:
    """A value inside of other text."""
    return value if isinstance(value, str) else json.dumps(value)


def _parse_parameter(name: str, body: object) -> ParameterSpec:
    if not isinstance(body, dict) or body.get("type") not in _TYPES:
        given = body.get("type") if isinstance(body, dict) else body
        raise SsmError(
            "InvalidDocumentContent",
            f"Parameter {name}: type {given!r} is not one of {sorted(_TYPES)}.",
        )
    is_variable = body.get("interpolationType") == "ENV_VAR"
    if is_variable and body["type"] != "String":
        raise SsmError(
            "InvalidDocumentContent",
            f"Parameter {name}: interpolationType ENV_VAR needs type String.",
        )
    return ParameterSpec(
        name=name,
        type=body["type"],
        description=str(body.get("description", "")),
        default=None if "default" not in body else _normal(body["type"], body["default"]),
        allowed_pattern=_checked_pattern(name, body.get("allowedPattern")),
        allowed_values=[_scalar(item) for item in body.get("allowedValues") or []],
        min_chars=int(body.get("minChars", 0)),
        max_chars=None if "maxChars" not in body else int(body["maxChars"]),
        is_environment_variable=is_variable,
    )


def _checked_pattern(name: str, pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise SsmError(
            "InvalidDocumentContent", f"Parameter {name}: allowedPattern {error}"
        ) from error
    return pattern


def _normal(kind: str, value: object) -> Value:
    if kind == "StringList":
        items = value if isinstance(value, list) else [value]
        return [_scalar(item) for item in items]
    return _scalar(value)


def _scalar(value: object) -> str:
    """YAML and JSON give booleans and numbers; a parameter is their text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bind(spec: ParameterSpec, given: Sequence[str] | None) -> Value:
    if given is None:
        if spec.default is None:
            raise SsmError("InvalidParameters", f'Parameter "{spec.name}" requires a value.')
        return spec.default
    if spec.type != "StringList" and len(given) != 1:
        raise SsmError("InvalidParameters", f'Parameter "{spec.name}" takes one value.')
    for item in given:
        _check(spec, item)
    return list(given) if spec.type == "StringList" else given[0]


def _check(spec: ParameterSpec, value: str) -> None:
    problem = _problem(spec, value)
    if problem:
        raise SsmError(
            "InvalidParameters", f'Parameter "{spec.name}" has value "{value}" {problem}.'
        )


def _problem(spec: ParameterSpec, value: str) -> str | None:
    if spec.type == "Integer" and not re.fullmatch(r"[+-]?\d+", value):
        return "that is not an Integer"
    if spec.type == "Boolean" and value not in ("true", "false"):
        return "not in [true, false]"
    if spec.allowed_values and value not in spec.allowed_values:
        return f"not in [{', '.join(spec.allowed_values)}]"
    if spec.allowed_pattern and not re.search(spec.allowed_pattern, value):
        return f'not matching "{spec.allowed_pattern}"'
    if len(value) < spec.min_chars:
        return f"shorter than {spec.min_chars} characters"
    if spec.max_chars is not None and len(value) > spec.max_chars:
        return f"longer than {spec.max_chars} characters"
    return None
