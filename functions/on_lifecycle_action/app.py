"""A lifecycle action of the group begins: starts its command, or completes it at once.

EventBridge delivers through LifecycleQueue.
"""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.aws.calls import CLIENT_CONFIG
from pilotlight.aws.ec2 import RunningInstances
from pilotlight.aws.sqs import SourceQueue
from pilotlight.aws.ssm import RunCommand
from pilotlight.fleet.answer import answer_lifecycle_action
from pilotlight.fleet.lifecycle_action import LifecycleAction, parse_lifecycle_action
from pilotlight.observability import logger, metrics, report, traced
from pilotlight.records import FailedRecords, process_records
from pilotlight.settings.commands import LifecycleActionSettings

settings = LifecycleActionSettings.from_environment(os.environ)
group = AutoScalingGroup(boto3.client("autoscaling", config=CLIENT_CONFIG), settings.group_name)
commands = RunCommand(boto3.client("ssm", config=CLIENT_CONFIG))
machines = RunningInstances(lambda: boto3.client("ec2", config=CLIENT_CONFIG))
source = SourceQueue(boto3.client("sqs", config=CLIENT_CONFIG), settings.lifecycle_queue_url)
book = settings.command_book()
metrics.set_default_dimensions(group=settings.group_name)


@logger.inject_lambda_context
@traced
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> FailedRecords:
    return process_records(event, parse_lifecycle_action, answer, source, settings.retry_seconds)


def answer(action: LifecycleAction) -> None:
    report("lifecycle action", answer_lifecycle_action(action, group, commands, machines, book))
