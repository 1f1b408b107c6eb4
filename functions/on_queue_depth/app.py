"""The queue got deeper (alarm), or it is time to look again (tick of the watch): sets capacity."""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.aws.calls import CLIENT_CONFIG
from pilotlight.aws.cloudwatch import JobsQueueMetrics
from pilotlight.aws.sqs import JobsQueue, WatchQueue
from pilotlight.errors import MalformedEventError
from pilotlight.observability import count, logger, metrics, report_capacity, traced
from pilotlight.records import Record
from pilotlight.scaling.capacity import Pass, set_capacity
from pilotlight.scaling.watch import next_slot, read_tick
from pilotlight.settings.queue_depth import QueueDepthSettings

settings = QueueDepthSettings.from_environment(os.environ)
group = AutoScalingGroup(boto3.client("autoscaling", config=CLIENT_CONFIG), settings.group_name)
sqs = boto3.client("sqs", config=CLIENT_CONFIG)
jobs = JobsQueue(sqs, settings.jobs_queue_url)
watch = WatchQueue(sqs, settings.watch_queue_url)
arrivals = JobsQueueMetrics(
    boto3.client("cloudwatch", config=CLIENT_CONFIG), settings.jobs_queue_url, time.time
)
metrics.set_default_dimensions(group=settings.group_name)


@logger.inject_lambda_context(clear_state=True)
@traced
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    if "Records" in event:
        on_tick(event["Records"])
    else:
        on_alarm(event["alarmData"])


def on_alarm(alarm: Mapping[str, Any]) -> None:
    """An error is raised: Lambda calls again after a minute, and the watch looks meanwhile."""
    logger.append_keys(alarm=alarm["alarmName"], state=alarm["state"]["value"])
    report_capacity("alarm", look())


def on_tick(records: Sequence[Record]) -> None:
    """A look that fails does not end the watch: the next tick is sent whatever comes of this one.

    Calls per tick: GetQueueAttributes, DescribeAutoScalingGroups, SendMessage; SetDesiredCapacity
    when something changes, GetMetricData once a minute at most.
    """
    if settings.watch_seconds == 0:
        return
    try:
        report_capacity("watch", look())
    except Exception:
        logger.exception("the look failed, the watch goes on")
        count("LookFailed")
    received = max((slot_of(record) for record in records), default=0)
    watch.send_tick(next_slot(time.time(), settings.watch_seconds, received))


def look() -> Pass:
    return set_capacity(group, jobs, arrivals, settings.policy(datetime.now(UTC)))


def slot_of(record: Record) -> int:
    """0 for a malformed tick: the clock alone then numbers the next."""
    try:
        return read_tick(record["body"])
    except MalformedEventError as error:
        logger.error("malformed record", message_id=record["messageId"], reason=str(error))
        count("MalformedRecord")
        return 0
