"""Settings of the functions: one frozen object each, read once from the environment.

A field's name in capitals is its variable. One that is unset or malformed stops the function
before its first event.
"""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from pilotlight.errors import SettingsError
from pilotlight.fleet.commands import CommandBook
from pilotlight.scaling.decision import Policy
from pilotlight.scaling.pool import PoolPolicy
from pilotlight.scaling.schedule import Schedule, ScheduleError, read_schedule
from pilotlight.scaling.spending import affordable_disks, affordable_instances

GROUP_NAME = r"[^\x00-\x1f:]{1,255}"
DOCUMENT_NAME = r"[A-Za-z0-9_.:/-]{3,256}"
QUEUE_URL = r"https?://\S{1,500}"
# us-east-1, 2026 (EBS pricing); elsewhere it is up to twice as much.
GP3_USD_PER_GIB_MONTH = 0.08
SWITCH = r"true|false"
TOPIC_ARN = r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}"


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
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or not low <= int(value) <= high:
        raise SettingsError(
            f"{variable} is {value!r}: set it to a whole number from {low} to {high}"
        )
    return int(value)


def _read_decimal(variable: str, value: str, bounds: Mapping[str, Any]) -> float:
    low, high = bounds["low"], bounds["high"]
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) or not low <= float(value) <= high:
        raise SettingsError(f"{variable} is {value!r}: set it to a number from {low} to {high}")
    return float(value)


def _read_periods(variable: str, value: str, _bounds: Mapping[str, Any]) -> Schedule:
    try:
        return read_schedule(value)
    except ScheduleError as error:
        raise SettingsError(f"{variable}: {error}") from error


def _text(pattern: str) -> Any:
    return field(metadata={"read": _read_text, "pattern": pattern})


def _whole(low: int, high: int) -> Any:
    return field(metadata={"read": _read_whole, "low": low, "high": high})


def _decimal(low: int, high: int) -> Any:
    return field(metadata={"read": _read_decimal, "low": low, "high": high})


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
    """Of on_queue_depth. WATCH_SECONDS 0: no watch runs; 900 s is the longest delay SQS has.

    MAX_USD_PER_DAY 0: no limit; INSTANCE_USD_PER_HOUR 0: no price to tell one by.
    """

    jobs_queue_url: str = _text(QUEUE_URL)
    jobs_per_instance: int = _whole(1, 1_000)
    watch_queue_url: str = _text(QUEUE_URL)
    watch_seconds: int = _whole(0, 900)
    target_wait_seconds: float = _decimal(0, 3_600)
    start_seconds: int = _whole(1, 900)
    max_usd_per_day: float = _decimal(0, 1_000_000)
    instance_usd_per_hour: float = _decimal(0, 1_000)
    schedule: Schedule = field(metadata={"read": _read_periods})

    def policy(self, now: datetime) -> Policy:
        sizes = self.schedule.sizes(now)
        return Policy(
            jobs_per_instance=self.jobs_per_instance,
            target_wait_seconds=self.target_wait_seconds,
            start_seconds=self.start_seconds,
            least_capacity=sizes.least_capacity,
            least_spare=sizes.least_spare,
            affordable=affordable_instances(self.max_usd_per_day, self.instance_usd_per_hour),
        )


@dataclass(frozen=True, kw_only=True)
class ReconcileSettings(QueueDepthSettings, CommandSettings):
    """Of reconcile: it does whatever the others missed."""

    max_setup_failures: int = _whole(1, 100)
    alert_topic_arn: str = _text(TOPIC_ARN)
    manage_pool: str = _text(SWITCH)
    pool_confidence_percent: int = _whole(50, 100)
    root_volume_gib: int = _whole(1, 16_384)
    max_disk_usd_per_month: float = _decimal(0, 1_000_000)

    def pool_policy(self) -> PoolPolicy:
        return PoolPolicy(
            confidence=self.pool_confidence_percent / 100,
            jobs_per_instance=self.jobs_per_instance,
            affordable_disks=affordable_disks(
                self.max_disk_usd_per_month, GP3_USD_PER_GIB_MONTH, self.root_volume_gib
            ),
        )
