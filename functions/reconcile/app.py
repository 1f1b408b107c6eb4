"""Each minute: looks at the whole fleet and sets right what the events did not."""

import os
import time
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.aws.calls import CLIENT_CONFIG
from pilotlight.aws.cloudwatch import JobsQueueMetrics
from pilotlight.aws.ec2 import InstanceTags, RunningInstances
from pilotlight.aws.heartbeats import DynamoDbHeartbeats
from pilotlight.aws.sns import AlertTopic
from pilotlight.aws.sqs import JobsQueue, WatchQueue
from pilotlight.aws.ssm import RunCommand
from pilotlight.errors import GroupNotFoundError
from pilotlight.fleet.breaker_state import BreakerState, Phase
from pilotlight.fleet.dead_workers import WorkerCare
from pilotlight.fleet.group import Group
from pilotlight.fleet.reconcile import (
    guard_setup,
    keep_rebalance_suspended,
    look,
    replace_dead_workers,
    settle_waits,
)
from pilotlight.fleet.settle_waits import WaitCare
from pilotlight.observability import (
    logger,
    metrics,
    report_capacity,
    report_findings,
    report_pool,
    run_steps,
    traced,
)
from pilotlight.scaling.capacity import past_arrivals, set_capacity
from pilotlight.scaling.pool import size_pool
from pilotlight.scaling.watch import pause_seconds, tick_delays_seconds
from pilotlight.settings.reconcile import ReconcileSettings

settings = ReconcileSettings.from_environment(os.environ)
group = AutoScalingGroup(boto3.client("autoscaling", config=CLIENT_CONFIG), settings.group_name)
commands = RunCommand(boto3.client("ssm", config=CLIENT_CONFIG))
ec2 = boto3.client("ec2", config=CLIENT_CONFIG)
tags = InstanceTags(ec2)
machines = RunningInstances(lambda: ec2)
heartbeats = DynamoDbHeartbeats(
    boto3.client("dynamodb", config=CLIENT_CONFIG), settings.heartbeats_table
)
alerts = AlertTopic(boto3.client("sns", config=CLIENT_CONFIG), settings.alert_topic_arn)
sqs = boto3.client("sqs", config=CLIENT_CONFIG)
jobs = JobsQueue(sqs, settings.jobs_queue_url)
watch = WatchQueue(sqs, settings.watch_queue_url)
care = WaitCare(group, group, tags, commands, machines, settings.command_book())
worker_care = WorkerCare(heartbeats, machines, settings.heartbeat_overdue())
arrivals = JobsQueueMetrics(
    boto3.client("cloudwatch", config=CLIENT_CONFIG), settings.jobs_queue_url, time.time
)
metrics.set_default_dimensions(group=settings.group_name)


@logger.inject_lambda_context
@traced
@metrics.log_metrics
def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    run_steps(watch=send_ticks, fleet=put_right)


def send_ticks() -> None:
    """First, since their delays count from now, and whatever becomes of the rest."""
    if settings.watch_seconds:
        pause = pause_seconds(
            settings.watch_seconds, past_arrivals(arrivals), settings.instance_usd_per_hour
        )
        watch.send_ticks(tick_delays_seconds(pause))


def put_right() -> None:
    now = datetime.now(UTC)
    try:
        fleet = look(group)
    except GroupNotFoundError as error:
        logger.info("nothing to reconcile", reason=str(error))
        return
    run_steps(
        capacity=lambda: scale(now),
        pool=lambda: size_the_pool(fleet.group),
        waits=lambda: report_findings(settle_waits(fleet, care, now)),
        workers=lambda: report_findings(replace_dead_workers(fleet, worker_care, group, now)),
        setup=lambda: report_findings(
            guard_setup(fleet, settings.breaker_policy(), settings.group_name, group, alerts, now)
        ),
        rebalance=lambda: report_findings(keep_rebalance_suspended(fleet, group)),
    )


def scale(now: datetime) -> None:
    report_capacity("reconcile", set_capacity(group, jobs, arrivals, settings.policy(now)))


def size_the_pool(seen: Group) -> None:
    """Nothing unless the user allows it, and none while the breaker keeps the pool small."""
    if settings.manage_pool == "true" and BreakerState.of(seen).phase is Phase.CLOSED:
        policy = settings.pool_policy()
        report_pool(size_pool(group, arrivals, seen.min_size, seen.max_size, policy))
