"""A command on an instance ended: completes the lifecycle action that it was sent for.

EventBridge delivers through CommandResultQueue.
"""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.aws.calls import CLIENT_CONFIG
from pilotlight.aws.ec2 import InstanceTags
from pilotlight.aws.sqs import SourceQueue
from pilotlight.aws.ssm import RunCommand
from pilotlight.fleet.answer import answer_command
from pilotlight.fleet.command_result import CommandEvent, parse_command_event
from pilotlight.observability import logger, metrics, report, traced
from pilotlight.records import FailedRecords, process_records
from pilotlight.settings.commands import CommandResultSettings

settings = CommandResultSettings.from_environment(os.environ)
group = AutoScalingGroup(boto3.client("autoscaling", config=CLIENT_CONFIG), settings.group_name)
commands = RunCommand(boto3.client("ssm", config=CLIENT_CONFIG))
tags = InstanceTags(boto3.client("ec2", config=CLIENT_CONFIG))
source = SourceQueue(boto3.client("sqs", config=CLIENT_CONFIG), settings.command_result_queue_url)
metrics.set_default_dimensions(group=settings.group_name)


@logger.inject_lambda_context
@traced
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> FailedRecords:
    return process_records(event, parse_command_event, answer, source, settings.retry_seconds)


def answer(event: CommandEvent) -> None:
    ticket, outcome = answer_command(event, commands, group, group, tags)
    report("command result", outcome, **(ticket.log_fields() if ticket else {}))
