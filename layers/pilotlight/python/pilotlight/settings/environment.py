"""Settings of the functions: one frozen object each, read once from the environment.

A field's name in capitals is its variable. One that is unset or malformed stops the function
before its first event.
"""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self

from pilotlight.errors import SettingsError

GROUP_NAME = r"[^\x00-\x1f:]{1,255}"
QUEUE_URL = r"https?://\S{1,500}"


def _read(spec: Field[Any], environ: Mapping[str, str]) -> Any:
    variable = spec.name.upper()
    value = environ.get(variable)
    if value is None:
        raise SettingsError(f"{variable} is not set: set it in the function's environment")
    return spec.metadata["read"](variable, value, spec.metadata)


def _read_text(variable: str, value: str, bounds: Mapping[str, Any]) -> str:
    if not re.fullmatch(bounds["pattern"], value):
        raise SettingsError(
            f"{variable} is {value!r}: set it to a text that matches {bounds['pattern']}"
        )
    return value


def _read_whole(variable: str, value: str, bounds: Mapping[str, Any]) -> int:
    low, high = bounds["low"], bounds["high"]
    if not re.fullmatch(r"-?\d{1,9}", value, re.ASCII) or not low <= int(value) <= high:
        raise SettingsError(
            f"{variable} is {value!r}: set it to a whole number from {low} to {high}"
        )
    return int(value)


def _read_decimal(variable: str, value: str, bounds: Mapping[str, Any]) -> float:
    low, high = bounds["low"], bounds["high"]
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) or not low <= float(value) <= high:
        raise SettingsError(f"{variable} is {value!r}: set it to a number from {low} to {high}")
    return float(value)


def text(pattern: str) -> Any:
    return field(metadata={"read": _read_text, "pattern": pattern})


def whole(low: int, high: int) -> Any:
    return field(metadata={"read": _read_whole, "low": low, "high": high})


def decimal(low: int, high: int) -> Any:
    return field(metadata={"read": _read_decimal, "low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every function knows: the Auto Scaling group it works for."""

    group_name: str = text(GROUP_NAME)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError naming the variable, its value and the remedy."""
        return cls(**{spec.name: _read(spec, environ) for spec in fields(cls)})
