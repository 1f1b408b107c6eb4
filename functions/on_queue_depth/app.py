"""The queue got deeper (alarm), or it is time to look again (ticks of the watch): sets capacity."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.aws.calls import CLIENT_CONFIG
from pilotlight.aws.cloudwatch import JobsQueueMetrics
from pilotlight.aws.sqs import JobsQueue
from pilotlight.errors import GroupNotFoundError
from pilotlight.observability import logger, metrics, report_capacity, traced
from pilotlight.scaling.capacity import Pass, set_capacity
from pilotlight.settings.queue_depth import QueueDepthSettings

settings = QueueDepthSettings.from_environment(os.environ)
group = AutoScalingGroup(boto3.client("autoscaling", config=CLIENT_CONFIG), settings.group_name)
jobs = JobsQueue(boto3.client("sqs", config=CLIENT_CONFIG), settings.jobs_queue_url)
arrivals = JobsQueueMetrics(
    boto3.client("cloudwatch", config=CLIENT_CONFIG), settings.jobs_queue_url, time.time
)
metrics.set_default_dimensions(group=settings.group_name)


@logger.inject_lambda_context(clear_state=True)
@traced
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """One look, however many ticks came together, and whatever they say.

    Calls: GetQueueAttributes, DescribeAutoScalingGroups; SetDesiredCapacity when something changes,
    GetMetricData once a minute at most. An error is raised: Lambda calls again for an alarm, SQS
    hands a tick out again, and the next tick looks meanwhile.

    Two looks at once are harmless: each sets the whole capacity by what it saw, and the next look
    corrects what the slower of two left.
    """
    trigger = trigger_of(event)
    try:
        report_capacity(trigger, look())
    except GroupNotFoundError as error:
        logger.info("nothing to scale", reason=str(error))


def trigger_of(event: Mapping[str, Any]) -> str:
    if "Records" in event:
        return "watch"
    alarm = event["alarmData"]
    logger.append_keys(alarm=alarm["alarmName"], state=alarm["state"]["value"])
    return "alarm"


def look() -> Pass:
    return set_capacity(group, jobs, arrivals, settings.policy(datetime.now(UTC)))
