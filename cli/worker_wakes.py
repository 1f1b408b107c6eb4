"""What woken workers spent their time on until they first asked the queue for a job."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from cli.recording import WorkerWake
from cli.stack import Stack
from cli.stages import Percentiles, percentiles

EVENT = "first_receive"
# In the order in which they come; docs/measure.md has each.
LAPS = {
    "boot": "the system manager starts -> the service's code check begins",
    "code_check": "settings and code versions are compared with the stack's",
    "worker_start": "its end -> the worker's Python runs, its own modules imported",
    "settings": "settings, instance metadata, the job process started",
    "boto3": "boto3 imported and its clients made, while the job process imports PyTorch",
    "self_check": "the rest of: PyTorch, a tensor operation, the job's handler imported",
    "in_service": "until the metadata names InService, and the loop asks the queue",
}


def read_worker_wakes(stack: Stack, since: float) -> list[WorkerWake]:
    """Of workers that were woken: those of a first setup, or started again, are left out."""
    pages = (
        stack.cloud.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=stack.output("WorkersLogGroupName"),
            startTime=int(since * 1000),
            filterPattern=f'{{ $.event = "{EVENT}" }}',
        )
    )
    try:
        told = [json.loads(event["message"]) for page in pages for event in page["events"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return []
    return wakes_of(told)


def wakes_of(lines: Iterable[dict[str, Any]]) -> list[WorkerWake]:
    """From the workers' own lines."""
    return [
        WorkerWake(line["instance_id"], line["at"], dict(line["spent"]))
        for line in lines
        if line.get("event") == EVENT and "boot" in line["spent"]
    ]


def lap_percentiles(wakes: Sequence[WorkerWake]) -> dict[str, Percentiles]:
    """p50 and p95 of each lap, and of all of them together as `total`, in seconds."""
    laps = {lap: percentiles([wake.spent.get(lap, 0.0) for wake in wakes]) for lap in LAPS}
    return laps | {"total": percentiles([wake.seconds for wake in wakes])}
