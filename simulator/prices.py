"""What a run costs at list price. The numbers are in prices.toml, with their date and sources."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HOURS_A_MONTH = 730.0
_TABLE = Path(__file__).with_name("prices.toml")


class UnknownInstanceTypeError(Exception):
    """The price table has no such instance type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is paid for: hours of instances, of disks whatever their instance does, and of the
    run; counts of looks, jobs and metrics read. `asks_sqs` tells a scaler's own looks from
    CloudWatch alarms."""

    instance_type: str
    billed_hours: float
    disk_hours: float
    volume_gigabytes: int
    run_hours: float
    looks: int
    jobs: int
    asks_sqs: bool
    metrics_read: float = 0.0


@dataclass(frozen=True, slots=True)
class Bill:
    """USD."""

    instances: float
    disks: float
    control: float

    @property
    def total(self) -> float:
        return self.instances + self.disks + self.control


@cache
def prices() -> dict[str, Any]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


def instance_hour(instance_type: str) -> float:
    """USD. Raises UnknownInstanceTypeError."""
    table = prices()["instance_hour"]
    if instance_type not in table:
        raise UnknownInstanceTypeError(
            f"{_TABLE.name} has no price for {instance_type}; it has {', '.join(table)}. "
            "Add a line to it or choose one of these."
        )
    return float(table[instance_type])


def disk_month(volume_gigabytes: int) -> float:
    """USD for the disk of one instance, asleep or awake."""
    return float(volume_gigabytes * prices()["disk"]["gp3_gigabyte_month"])


def bill(usage: Usage) -> Bill:
    disk_hour = disk_month(usage.volume_gigabytes) / HOURS_A_MONTH
    queue = usage.jobs * prices()["sqs"]["requests_per_job"] * prices()["sqs"]["request"]
    history = usage.metrics_read * prices()["cloudwatch"]["get_metric_data"]
    return Bill(
        instances=usage.billed_hours * instance_hour(usage.instance_type),
        disks=usage.disk_hours * disk_hour,
        control=queue + history + (_polling(usage) if usage.asks_sqs else _alarms(usage)),
    )


def _polling(usage: Usage) -> float:
    """A function that delayed messages bring round, and that asks SQS."""
    function, sqs = prices()["lambda"], prices()["sqs"]
    look = (
        function["request"]
        + function["look_seconds"] * function["look_gigabytes"] * function["gigabyte_second"]
        + sqs["requests_per_look"] * sqs["request"]
    )
    return float(usage.looks * look)


def _alarms(usage: Usage) -> float:
    """Two alarms, out and in, on one metric of its own."""
    cloudwatch = prices()["cloudwatch"]
    month = 2 * cloudwatch["alarm_month"] + cloudwatch["metric_month"]
    return float(month * usage.run_hours / HOURS_A_MONTH)
