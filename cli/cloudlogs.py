"""What the functions wrote to CloudWatch Logs: decisions, failures, the story of one instance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.recording import Decision
from cli.stack import Cloud

FUNCTIONS = ("on-lifecycle-action", "on-command-result", "on-queue-depth", "reconcile")
# CloudWatch may show a line later than a younger one, so each look goes back a little.
OVERLAP_SECONDS = 10
FAILURES = ("ERROR", "CRITICAL")
START = "platform.start"
STORY_FIELDS = ("hook", "origin", "destination", "result", "reason", "seconds_waited", "detail")

# What tells one log event from another; `eventId` may be absent (BC logs, FilteredLogEvent).
EventKey = tuple[str, int, str]

_START_TEXT = re.compile(r"START RequestId: (\S+)")


def log_group(stack_name: str, function: str) -> str:
    """The template names its log groups, so that they can be read while a stack is being made."""
    return f"/aws/lambda/{stack_name}-{function}"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One JSON line of a function's log; `at` is CloudWatch's timestamp, epoch seconds."""

    at: float
    function: str
    fields: Mapping[str, Any]

    @property
    def instance_id(self) -> str:
        return str(self.fields.get("instance_id", ""))

    @property
    def is_failure(self) -> bool:
        return self.fields.get("level") in FAILURES

    def readable(self) -> str:
        """One line for a person: what was done to which instance, and why."""
        moment = datetime.fromtimestamp(self.at, UTC).strftime("%H:%M:%S.%f")[:-3]
        told = [f"{name}={self.fields[name]}" for name in STORY_FIELDS if self.fields.get(name)]
        return f"{moment}  {self.function:19} {self.fields.get('message', '')}: {' '.join(told)}"


class FunctionLogs:
    """Follows the logs of one stack's functions. Groups that do not exist yet are empty."""

    def __init__(self, cloud: Cloud, stack_name: str, since: float) -> None:
        self._logs = cloud.client("logs")
        self._groups = {name: log_group(stack_name, name) for name in FUNCTIONS}
        self._since = since
        self._lines: dict[EventKey, LogLine] = {}

    @property
    def lines(self) -> list[LogLine]:
        """All that was read so far, oldest first."""
        return sorted(self._lines.values(), key=lambda line: line.at)

    def read_new(self) -> list[LogLine]:
        """What has come since the last call, oldest first."""
        fresh = {
            key: line
            for function in self._groups
            for key, line in self._read(function)
            if key not in self._lines
        }
        self._lines |= fresh
        newest = max((line.at for line in self._lines.values()), default=self._since)
        self._since = max(self._since, newest - OVERLAP_SECONDS)
        return sorted(fresh.values(), key=lambda line: line.at)

    def _read(self, function: str) -> Iterator[tuple[EventKey, LogLine]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._groups[function], startTime=int(self._since * 1000)
        )
        try:
            for page in pages:
                for event in page["events"]:
                    fields = parse_message(event["message"])
                    if fields is not None:
                        line = LogLine(event["timestamp"] / 1000, function, fields)
                        yield (event["logStreamName"], event["timestamp"], event["message"]), line
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise


def decisions(lines: Sequence[LogLine]) -> list[Decision]:
    """The decisions that changed capacity, each from its invocation's start to its log line."""
    began = {_request_id(line): line.at for line in lines if line.fields.get("type") == START}
    return [
        _decision(line, began.get(_request_id(line), line.at))
        for line in lines
        if _changes_capacity(line)
    ]


def story(lines: Sequence[LogLine], instance_id: str) -> tuple[str, ...]:
    """What was logged about one instance, a readable line each."""
    return tuple(line.readable() for line in lines if line.instance_id == instance_id)


def parse_message(text: str) -> dict[str, Any] | None:
    """One log event's fields; None for what is neither JSON nor the start of an invocation.

    Lambda writes the start in JSON or as text, by the function's LogFormat (Lambda guide,
    monitoring-cloudwatchlogs-logformat).
    """
    started = _START_TEXT.match(text)
    if started:
        return {"type": START, "record": {"requestId": started.group(1)}}
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _request_id(line: LogLine) -> str:
    record = line.fields.get("record")
    if isinstance(record, dict):
        return str(record.get("requestId", ""))
    return str(line.fields.get("function_request_id", ""))


def _changes_capacity(line: LogLine) -> bool:
    capacity = line.fields.get("capacity")
    return isinstance(capacity, int) and capacity != line.fields.get("desired")


def _decision(line: LogLine, began_at: float) -> Decision:
    """The line is written when SetDesiredCapacity has answered."""
    fields = line.fields
    return Decision(
        at=began_at,
        set_at=line.at,
        before=int(fields["desired"]),
        capacity=int(fields["capacity"]),
        reason=str(fields.get("reason", "")),
        woken_by=str(fields.get("trigger", line.function)),
    )
