"""Traces from the files in which others publish theirs."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.trace import Trace, TraceError

PHILLY_TIME = "%Y-%m-%d %H:%M:%S"
# An invented server that takes this long for a conversation's request; only arrivals are real.
BASE_SECONDS, CONTEXT_TOKENS_A_SECOND, GENERATED_TOKENS_A_SECOND = 10.0, 100.0, 2.0
LONGEST_SECONDS, SHORTEST_SECONDS = 1800.0, 10.0

Job = tuple[datetime, float]


def read_original(path: Path, stretch: float = 1.0) -> Trace:
    """Philly's cluster_job_log (JSON) or Azure's LLM inference trace (CSV), told by its beginning.

    `stretch` multiplies the time between arrivals. Raises TraceError.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        jobs = _philly(text) if text.lstrip().startswith("[") else _azure(text)
    except OSError as error:
        raise TraceError(f"{path} cannot be read: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise TraceError(
            f"{path} is neither Philly's cluster_job_log nor an Azure LLM inference trace: "
            f"{type(error).__name__}: {error}. See docs/compare.md for both."
        ) from error
    if not jobs:
        raise TraceError(f"{path} holds no job that can be used.")
    jobs.sort()
    first = jobs[0][0]
    return Trace(
        path.stem,
        tuple((at - first).total_seconds() * stretch for at, _ in jobs),
        tuple(service for _, service in jobs),
    )


def _philly(text: str) -> list[Job]:
    """One-GPU jobs: submitted when they were, as long as their last attempt ran."""
    found = (_philly_job(entry) for entry in json.loads(text))
    return [job for job in found if job is not None]


def _philly_job(entry: dict[str, Any]) -> Job | None:
    """None for jobs with more GPUs, and for those that never ran or never ended."""
    attempts = entry["attempts"]
    if not attempts or not attempts[-1]["start_time"] or not attempts[-1]["end_time"]:
        return None
    if sum(len(machine["gpus"]) for machine in attempts[-1]["detail"]) != 1:
        return None
    start, end = (
        datetime.strptime(attempts[-1][key], PHILLY_TIME) for key in ("start_time", "end_time")
    )
    submitted = datetime.strptime(entry["submitted_time"], PHILLY_TIME)
    return submitted, _bounded((end - start).total_seconds())


def _azure(text: str) -> list[Job]:
    rows = csv.DictReader(text.splitlines())
    return [
        (
            datetime.fromisoformat(row["TIMESTAMP"][:26]),
            _bounded(
                BASE_SECONDS
                + int(row["ContextTokens"]) / CONTEXT_TOKENS_A_SECOND
                + int(row["GeneratedTokens"]) / GENERATED_TOKENS_A_SECOND
            ),
        )
        for row in rows
    ]


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
