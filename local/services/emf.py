"""Embedded metric format: metrics inside of log lines, as Powertools writes them.

CloudWatch user guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EmbeddedMetric:
    """One metric of one log line under one of its dimension sets. `timestamp`: epoch seconds."""

    namespace: str
    name: str
    unit: str
    dimensions: Mapping[str, str]
    values: tuple[float, ...]
    timestamp: float


def embedded_metrics(message: str) -> list[EmbeddedMetric]:
    """The metrics of a log line; none of a line that is not in the format, as on CloudWatch."""
    if '"_aws"' not in message:
        return []
    try:
        line = json.loads(message)
    except ValueError:
        return []
    metadata = line.get("_aws") if isinstance(line, dict) else None
    if not isinstance(metadata, dict):
        return []
    timestamp = float(metadata.get("Timestamp", 0)) / 1000
    directives = metadata.get("CloudWatchMetrics") or []
    return [m for directive in directives for m in _of_directive(directive, line, timestamp)]


def _of_directive(
    directive: Mapping[str, Any], line: Mapping[str, Any], timestamp: float
) -> Iterator[EmbeddedMetric]:
    for names in directive.get("Dimensions") or [[]]:
        if not all(name in line for name in names):
            continue
        dimensions = {name: str(line[name]) for name in names}
        for metric in directive.get("Metrics") or []:
            values = _numbers(line.get(metric.get("Name")))
            if values:
                yield EmbeddedMetric(
                    namespace=directive["Namespace"],
                    name=metric["Name"],
                    unit=metric.get("Unit", "None"),
                    dimensions=dimensions,
                    values=values,
                    timestamp=timestamp,
                )


def _numbers(value: object) -> tuple[float, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(float(i) for i in items if isinstance(i, int | float) and not isinstance(i, bool))
