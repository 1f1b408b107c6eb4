"""The lines that Lambda itself writes into a function's log, as text or as JSON.

AWS Lambda guide, monitoring-cloudwatchlogs-advanced (formats) and telemetry-schema-reference
(platform records).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Outcome:
    """One invocation, ended. `status` is success, error (handler), failure (process) or timeout."""

    duration_ms: float
    init_ms: float | None
    memory_size_mb: int
    max_memory_mb: int
    status: str = "success"
    error_type: str = ""


class TextLines:
    """LogFormat Text, the default."""

    def __init__(self, runtime: str, version: str) -> None:
        self._runtime = runtime
        self._version = version

    def init(self, _now: float) -> list[str]:
        return [f"INIT_START Runtime Version: {self._runtime.replace('python', 'python:')}.local"]

    def start(self, request_id: str, _now: float) -> list[str]:
        return [f"START RequestId: {request_id} Version: {self._version}"]

    def timed_out(self, request_id: str, seconds: float, now: float) -> list[str]:
        return [f"{_time(now)} {request_id} Task timed out after {seconds:.2f} seconds"]

    def end(self, request_id: str, outcome: Outcome, _now: float) -> list[str]:
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {outcome.duration_ms:.2f} ms",
            f"Billed Duration: {_billed_ms(outcome)} ms",
            f"Memory Size: {outcome.memory_size_mb} MB",
            f"Max Memory Used: {outcome.max_memory_mb} MB",
        ]
        if outcome.init_ms is not None:
            parts.append(f"Init Duration: {outcome.init_ms:.2f} ms")
        if outcome.status == "timeout":
            parts.append("Status: timeout")
        if outcome.status == "failure":
            parts += ["Status: error", f"Error Type: {outcome.error_type}"]
        return [f"END RequestId: {request_id}", "\t".join(parts)]


class JsonLines:
    """LogFormat JSON: each line of the platform is one object."""

    def __init__(self, runtime: str, version: str) -> None:
        self._runtime = runtime
        self._version = version

    def init(self, now: float) -> list[str]:
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": f"{self._runtime.replace('python', 'python:')}.local",
        }
        return [self._line("platform.initStart", record, now)]

    def start(self, request_id: str, now: float) -> list[str]:
        record = {"requestId": request_id, "version": self._version}
        return [self._line("platform.start", record, now)]

    def timed_out(self, _request_id: str, _seconds: float, _now: float) -> list[str]:
        return []  # the report's status says it

    def end(self, request_id: str, outcome: Outcome, now: float) -> list[str]:
        metrics: dict[str, float] = {
            "durationMs": round(outcome.duration_ms, 3),
            "billedDurationMs": _billed_ms(outcome),
            "memorySizeMB": outcome.memory_size_mb,
            "maxMemoryUsedMB": outcome.max_memory_mb,
        }
        if outcome.init_ms is not None:
            metrics["initDurationMs"] = round(outcome.init_ms, 3)
        record: dict[str, object] = {
            "requestId": request_id,
            "metrics": metrics,
            "status": outcome.status,
        }
        if outcome.error_type:
            record["errorType"] = outcome.error_type
        return [self._line("platform.report", record, now)]

    @staticmethod
    def _line(kind: str, record: Mapping[str, object], now: float) -> str:
        return json.dumps({"time": _time(now), "type": kind, "record": record})


def _time(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _billed_ms(outcome: Outcome) -> int:
    """Initialisation is billed since August 2025."""
    return math.ceil(outcome.duration_ms + (outcome.init_ms or 0))
