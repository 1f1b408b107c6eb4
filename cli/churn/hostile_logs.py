"""What hostile messages must not do to the logs: appear in them, or write lines of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from cli.cloudlogs import FUNCTIONS, log_group
from cli.stack import Stack


def read_lines(stack: Stack) -> Iterator[str]:
    """All that the stack's workers and functions logged."""
    logs = stack.cloud.client("logs")
    pages = logs.get_paginator("filter_log_events")
    groups = [stack.output("WorkersLogGroupName")]
    groups += [log_group(stack.name, function) for function in FUNCTIONS]
    for group in groups:
        for page in pages.paginate(logGroupName=group):
            yield from (event["message"] for event in page["events"])


def harmed(lines: Iterable[str], canary: str) -> list[str]:
    """Those which hold what a payload holds, would command a terminal, or tell of a forged job."""
    return [line for line in lines if canary in line or not _is_plain(line) or _is_forged(line)]


def _is_plain(line: str) -> bool:
    return line.replace("\t", " ").rstrip("\n").isprintable()


def _is_forged(line: str) -> bool:
    try:
        fields = json.loads(line)
    except ValueError:
        return False  # what a runtime says of itself
    return isinstance(fields, dict) and fields.get("job_id") == "forged"
