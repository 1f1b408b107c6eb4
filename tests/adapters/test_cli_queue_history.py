"""A live queue's past, from CloudWatch and the jobs table, as a trace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.errors import CommandError
from cli.queue_history import read_queue, read_stack
from cli.stack import Stack
from simulator.services import Lognormal

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"
NOW = datetime.now(UTC).replace(second=0, microsecond=0)


class MotoCloud:
    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoCloud]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield MotoCloud()


@pytest.fixture
def stack(cloud: MotoCloud) -> Stack:
    cloud.client("dynamodb").create_table(
        TableName="jobs-table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
    )
    stack = Stack("mine", cloud)
    vars(stack)["outputs"] = {"JobsQueueUrl": URL, "JobsTableName": "jobs-table"}
    return stack


def report(cloud: MotoCloud, metric: str, values: dict[timedelta, float]) -> None:
    """Values of the queue, by how long ago."""
    cloud.client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "QueueName", "Value": "jobs"}],
                "Timestamp": NOW - ago,
                "Value": value,
            }
            for ago, value in values.items()
        ],
    )


def put_job(stack: Stack, job_id: str, state: str, worked_seconds: float) -> None:
    stack.cloud.client("dynamodb").put_item(
        TableName="jobs-table",
        Item={
            "job_id": {"S": job_id},
            "state": {"S": state},
            "started_at": {"N": "1000.5"},
            "finished_at": {"N": str(1000.5 + worked_seconds)},
        },
    )


def test_two_weeks_of_a_queue_become_jobs_that_work_as_long_as_is_said(cloud: MotoCloud) -> None:
    sent = {timedelta(days=13): 2, timedelta(hours=1): 3, timedelta(days=20): 9}
    report(cloud, "NumberOfMessagesSent", sent)
    trace = read_queue(cloud, URL, Lognormal(50.0, 0.0), 1.0, seed=1)
    assert trace.name == "jobs"
    assert len(trace) == 5
    assert set(trace.services_seconds) == {50.0}
    assert trace.window_seconds == pytest.approx(13 * 86_400 - 3600, abs=61)


def test_without_a_word_on_it_work_is_what_messages_were_in_flight(cloud: MotoCloud) -> None:
    report(cloud, "NumberOfMessagesSent", {timedelta(hours=2): 5, timedelta(hours=1): 5})
    report(cloud, "NumberOfMessagesDeleted", {timedelta(hours=1): 10})
    report(cloud, "ApproximateNumberOfMessagesNotVisible", {timedelta(hours=1): 4})
    trace = read_queue(cloud, URL, None, 0.0, seed=1)
    assert set(trace.services_seconds) == {120.0}  # 4 in flight for 300 s, 10 ended


def test_a_stacks_jobs_work_as_long_as_those_in_its_table_that_have_a_result(
    cloud: MotoCloud, stack: Stack
) -> None:
    report(cloud, "NumberOfMessagesSent", {timedelta(hours=2): 5, timedelta(hours=1): 5})
    put_job(stack, "a", "succeeded", 20.0)
    put_job(stack, "b", "succeeded", 30.0)
    put_job(stack, "c", "failed", 900.0)
    assert set(read_stack(stack, None, 1.0, seed=1).services_seconds) == {20.0, 30.0}


def test_a_queue_without_jobs_says_so(cloud: MotoCloud) -> None:
    told = r"Too few jobs of jobs ended.*--service-seconds.*or is it another queue\?"
    with pytest.raises(CommandError, match=told):
        read_queue(cloud, URL, None, 1.0, seed=1)
    with pytest.raises(CommandError, match=r"NumberOfMessagesSent of jobs .*no message"):
        read_queue(cloud, URL, Lognormal(5.0), 1.0, seed=1)
