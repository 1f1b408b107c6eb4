"""`pilotlight logs ID`: what the workers logged of a job, and what the job printed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import typer
from botocore.exceptions import ClientError
from rich.text import Text

from cli.clouds import ConfiguredCloud
from cli.errors import CommandError
from cli.explained import explained
from cli.job_command import JobId
from cli.jobs import JobsDesk
from cli.options import StackName
from cli.recording import Job
from cli.stack import Stack
from cli.terminal import console
from pilotlight.jobs.message import JOB_ID

FOLLOW_SECONDS = 1.0
# Clocks differ a little; and what is said of a job's end is said after its end is recorded.
BEFORE_SECONDS = 2.0
AFTER_SECONDS = 20.0
# After a job is over its last lines still have to be shipped, and to be found.
LINGER_SECONDS = 6.0
UNTOLD = ("event", "at", "instance_id", "job_id", "message_id", "attempt")


@dataclass(frozen=True, slots=True)
class Window:
    """Where lines of one attempt are: in streams that begin so ("" is all), from then until then.

    Moments are epoch seconds; `until` is None while the attempt runs.
    """

    stream_prefix: str
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class JobLine:
    at: float
    stream: str
    fields: dict[str, Any]

    def shown(self) -> Text:
        """What the job printed as it is; what the worker says of it in a dimmer voice."""
        moment = datetime.fromtimestamp(self.at, UTC).strftime("%H:%M:%S.%f")[:-3]
        line = Text(f"{moment} {self.fields.get('instance_id', '')}  ", style="dim")
        if self.fields.get("event") == "job_output":
            return line.append(str(self.fields.get("text", "")), style="not dim")
        told = " ".join(f"{k}={v}" for k, v in self.fields.items() if k not in UNTOLD)
        return line.append(f"{self.fields.get('event', '')} {told}".rstrip(), style="bold")


def windows(job: Job) -> list[Window]:
    """One for each attempt that began; with those CloudWatch reads little.

    Of an attempt of which nothing was recorded neither place nor time is known: it is looked for
    everywhere between the one before and the next.
    """
    attempts = job.attempts
    found = []
    since = job.sent_at
    for attempt, following in zip(attempts, [*attempts[1:], None], strict=True):
        since = attempt.received_at or since
        end = attempt.finished_at or (following.received_at if following else job.dead_lettered_at)
        is_latest = following is None and job.log_stream.startswith(f"{attempt.instance_id}/")
        prefix = f"{attempt.instance_id}/" if attempt.instance_id else ""
        found.append(
            Window(
                stream_prefix=job.log_stream if is_latest else prefix,
                since=max(0.0, since - BEFORE_SECONDS),
                until=None if end is None else end + AFTER_SECONDS,
            )
        )
        since = end or since
    return found


class JobLog:
    """Reads lines of one job from the workers' log group, each once."""

    def __init__(self, stack: Stack, job_id: str) -> None:
        self._logs = stack.cloud.client("logs")
        self._group = stack.output("WorkersLogGroupName")
        self._job_id = job_id
        self._seen: set[tuple[str, float, str]] = set()

    def read_new(self, job: Job) -> list[JobLine]:
        """What has come since the last call, oldest first."""
        lines = [line for window in windows(job) for line in self._read(window, job)]
        return sorted(lines, key=lambda line: line.at)

    def _read(self, window: Window, job: Job) -> Iterator[JobLine]:
        for event in self._events(window, job.message_id or self._job_id):
            key = (event["logStreamName"], event["timestamp"], event["message"])
            if key in self._seen or not event["logStreamName"].startswith(window.stream_prefix):
                continue
            self._seen.add(key)
            fields = json.loads(event["message"])
            if fields.get("job_id") == self._job_id or fields.get("message_id") == job.message_id:
                yield JobLine(event["timestamp"] / 1000, event["logStreamName"], fields)

    def _events(self, window: Window, message_id: str) -> Iterator[dict[str, Any]]:
        bounds: dict[str, Any] = {"startTime": int(window.since * 1000)}
        if window.until is not None:
            bounds["endTime"] = int(window.until * 1000)
        if window.stream_prefix:
            bounds["logStreamNamePrefix"] = window.stream_prefix
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group,
            filterPattern=(
                f'{{ ($.job_id = "{self._job_id}") || ($.message_id = "{message_id}") }}'
            ),
            **bounds,
        )
        try:
            for page in pages:
                yield from page["events"]
        except ClientError as error:  # no worker has ever logged in this stack
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise


def logs(
    job_id: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="From its first attempt until the job is over.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The workers' own lines, a JSON object each.")
    ] = False,
    stack_name: StackName = "pilotlight",
) -> None:
    """Print the log of a job, of every attempt at it, from CloudWatch Logs."""
    if not JOB_ID.fullmatch(job_id):
        raise typer.BadParameter(f"{job_id!r} is no job id: 1 to 128 of A-Z a-z 0-9 . _ -")
    with explained():
        stack = Stack(stack_name, ConfiguredCloud())
        desk, log = JobsDesk(stack), JobLog(stack, job_id)
        show = _print_json if as_json else _print
        job = awaited(desk, job_id, time.sleep) if follow else _job(desk, job_id)
        count = _print_lines(job, log, show)
        while follow and (job := _job(desk, job_id)) and not _ended(job):
            time.sleep(FOLLOW_SECONDS)
            count += _print_lines(job, log, show)
        if not count and not follow:
            console.print(
                f"Nothing was logged of {job_id} so far; a worker's lines take some seconds.",
                style="yellow",
            )


class Desk(Protocol):
    def read(self, job_ids: Collection[str]) -> list[Job]: ...


def awaited(desk: Desk, job_id: str, sleep: Callable[[float], None]) -> Job:
    """Once a worker has received it."""
    found = desk.read([job_id])
    if not found:
        typer.echo(f"No worker has received {job_id} yet: waiting.", err=True)
    while not found:
        sleep(FOLLOW_SECONDS)
        found = desk.read([job_id])
    return found[0]


def _job(desk: JobsDesk, job_id: str) -> Job:
    found = desk.read([job_id])
    if not found:
        raise CommandError(
            f"No worker has received a job {job_id!r} (yet), so there is no log of it: "
            f"`pilotlight logs {job_id} --follow` waits for it."
        )
    return found[0]


def _ended(job: Job) -> bool:
    end = max(job.finished_at or 0.0, job.dead_lettered_at or 0.0)
    return job.over and time.time() - end > LINGER_SECONDS


def _print_lines(job: Job, log: JobLog, show: Callable[[Iterable[JobLine]], None]) -> int:
    lines = log.read_new(job)
    show(lines)
    return len(lines)


def _print(lines: Iterable[JobLine]) -> None:
    for line in lines:
        console.print(line.shown(), soft_wrap=True)


def _print_json(lines: Iterable[JobLine]) -> None:
    for line in lines:
        console.print(json.dumps(line.fields), highlight=False, markup=False, soft_wrap=True)
