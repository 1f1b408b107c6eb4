"""A live queue's last two weeks: when its jobs came, and how long they worked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from cli.errors import CommandError
from cli.stack import Cloud, Stack
from pilotlight.aws.attribute_values import plain
from pilotlight.aws.cloudwatch import MINUTE_SECONDS, JobsQueueMetrics
from pilotlight.errors import TransientError
from simulator.sent_counts import sent_counts, trace_of
from simulator.services import Lognormal, Observed, ServiceTimes
from simulator.trace import Trace

HISTORY_SECONDS = 14 * 86_400  # CloudWatch keeps whole minutes for 15 days
MOST_OBSERVED = 10_000  # finished jobs that tell how long jobs work


def read_queue(
    cloud: Cloud, queue_url: str, services: ServiceTimes | None, spread: float, seed: int
) -> Trace:
    """What was sent by the minute; without `services` as long on average as its messages were in
    flight. Raises CommandError."""
    metrics = JobsQueueMetrics(cloud.client("cloudwatch"), queue_url, time.time)
    name = queue_url.rsplit("/", 1)[-1]
    try:
        sent = metrics.sent(HISTORY_SECONDS)
        if services is None:
            services = _by_flight(metrics, name, spread)
        values = ((moment.timestamp(), count) for moment, count in sent.items())
        counts = sent_counts(values, MINUTE_SECONDS)
    except TransientError as error:
        raise CommandError(f"CloudWatch does not answer for {name} now: {error}") from error
    except ValueError as error:
        raise CommandError(
            f"CloudWatch's NumberOfMessagesSent of {name} over two weeks is not usable: {error}."
        ) from error
    return trace_of(name, counts, services, seed)


def read_stack(stack: Stack, services: ServiceTimes | None, spread: float, seed: int) -> Trace:
    """The same of a stack's jobs queue; without `services` as long as the jobs that its table has.
    Raises CommandError."""
    if services is None:
        services = observed_services(stack)
    return read_queue(stack.cloud, stack.output("JobsQueueUrl"), services, spread, seed)


def observed_services(stack: Stack) -> Observed | None:
    """How long the jobs in the table worked that have a result; None when there is none."""
    worked = tuple(islice(_worked_seconds(stack), MOST_OBSERVED))
    return Observed(worked) if worked else None


def _worked_seconds(stack: Stack) -> Iterator[float]:
    pages = (
        stack.cloud.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stack.output("JobsTableName"),
            ProjectionExpression="started_at, finished_at",
            FilterExpression="#state = :succeeded",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":succeeded": {"S": "succeeded"}},
        )
    )
    for page in pages:
        for item in page["Items"]:
            seconds = _seconds(item)
            if seconds is not None:
                yield seconds


def _seconds(item: dict[str, Any]) -> float | None:
    if "started_at" not in item or "finished_at" not in item:
        return None
    seconds = float(plain(item["finished_at"]) - plain(item["started_at"]))
    return seconds if seconds > 0 else None


def _by_flight(metrics: JobsQueueMetrics, name: str, spread: float) -> Lognormal:
    service = metrics.service(HISTORY_SECONDS)
    if service is None:
        raise CommandError(
            f"Too few jobs of {name} ended in two weeks to tell how long they work; add "
            "--service-seconds with the mean; or is it another queue?"
        )
    return Lognormal(service.mean_seconds, spread)
