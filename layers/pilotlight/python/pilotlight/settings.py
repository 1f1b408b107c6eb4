"""Settings of the functions: one frozen object each, read once from the environment.

A field's name in capitals is its variable. One that is unset or malformed stops the function
before its first event.
"""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self

from pilotlight.errors import SettingsError
from pilotlight.fleet.commands import CommandBook

GROUP_NAME = r"[^\x00-\x1f:]{1,255}"
DOCUMENT_NAME = r"[A-Za-z0-9_.:/-]{3,256}"
QUEUE_URL = r"https?://\S{1,500}"
TOPIC_ARN = r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}"


def _text(pattern: str) -> Any:
    return field(metadata={"pattern": pattern})


def _whole(low: int, high: int) -> Any:
    return field(metadata={"low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every function knows: the Auto Scaling group it works for."""

    group_name: str = _text(GROUP_NAME)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError naming the variable, its value and the remedy."""
        return cls(**{spec.name: _read(spec, environ) for spec in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class CommandSettings(Settings):
    """What is needed to send a readiness or a drain command.

    SETUP_TIMEOUT_SECONDS and DRAIN_SECONDS go into the documents as their parameters.
    """

    readiness_document: str = _text(DOCUMENT_NAME)
    drain_document: str = _text(DOCUMENT_NAME)
    # 172,800 s is the longest that SSM runs a command, and that any instance may wait in a hook.
    setup_timeout_seconds: int = _whole(30, 172_800)
    drain_seconds: int = _whole(0, 172_800)

    def command_book(self) -> CommandBook:
        return CommandBook(
            readiness_document=self.readiness_document,
            drain_document=self.drain_document,
            setup_timeout_seconds=self.setup_timeout_seconds,
            drain_seconds=self.drain_seconds,
        )


@dataclass(frozen=True, kw_only=True)
class LifecycleActionSettings(CommandSettings):
    """Of on_lifecycle_action."""

    lifecycle_queue_url: str = _text(QUEUE_URL)
    retry_seconds: int = _whole(1, 900)


@dataclass(frozen=True, kw_only=True)
class CommandResultSettings(Settings):
    """Of on_command_result."""

    command_result_queue_url: str = _text(QUEUE_URL)
    retry_seconds: int = _whole(1, 900)


@dataclass(frozen=True, kw_only=True)
class QueueDepthSettings(Settings):
    """Of on_queue_depth. WATCH_SECONDS 0: no watch runs; 900 s is the longest delay SQS has."""

    jobs_queue_url: str = _text(QUEUE_URL)
    jobs_per_instance: int = _whole(1, 1_000)
    watch_queue_url: str = _text(QUEUE_URL)
    watch_seconds: int = _whole(0, 900)


@dataclass(frozen=True, kw_only=True)
class ReconcileSettings(QueueDepthSettings, CommandSettings):
    """Of reconcile: it does whatever the others missed."""

    max_setup_failures: int = _whole(1, 100)
    alert_topic_arn: str = _text(TOPIC_ARN)


def _read(spec: Field[Any], environ: Mapping[str, str]) -> Any:
    variable = spec.name.upper()
    value = environ.get(variable)
    if value is None:
        raise SettingsError(f"{variable} is not set: set it in the function's environment")
    if "pattern" in spec.metadata:
        return _read_text(variable, value, spec.metadata["pattern"])
    return _read_whole(variable, value, spec.metadata["low"], spec.metadata["high"])


def _read_text(variable: str, value: str, pattern: str) -> str:
    if not re.fullmatch(pattern, value):
        raise SettingsError(f"{variable} is {value!r}: set it to a text that matches {pattern}")
    return value


def _read_whole(variable: str, value: str, low: int, high: int) -> int:
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or not low <= int(value) <= high:
        raise SettingsError(
            f"{variable} is {value!r}: set it to a whole number from {low} to {high}"
        )
    return int(value)
