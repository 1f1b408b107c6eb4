"""Beginnings and results of many jobs in one call: PartiQL, which moto understands in part only."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud
from pilotlight.aws.jobs_batch import DynamoDbJobsBatch
from pilotlight.aws.jobs_table import DynamoDbJobsTable
from pilotlight.jobs import records
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.records import Run, Worker


def a_run(job_id: str, message_id: str = "m-1", started_at: float = 1000.25) -> Run:
    message = ReceivedMessage(message_id, "r", "{}", 1, 990.1, 999.5)
    return Run(job_id, Worker("i-1", "/group", "i-1/stream"), message, started_at, 998.0)


class Jobs:
    """One jobs table, as a worker writes it by one and by many, and as anybody reads it."""

    def __init__(self, client, name: str) -> None:
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.name = name
        self._client = client
        self._table = DynamoDbJobsTable(client, name)
        self.batch = DynamoDbJobsBatch(client, name)

    def begin(self, *runs: Run) -> None:
        for run in runs:
            assert self._table.begin(run, records.running(run)).granted

    def item(self, job_id: str):
        key = {"job_id": {"S": job_id}}
        return self._client.get_item(TableName=self.name, Key=key).get("Item")


@pytest.fixture
def jobs(client, unique) -> Jobs:
    return Jobs(client("dynamodb"), unique("my.jobs_table"))


def test_of_a_batch_those_jobs_begin_that_the_table_knows_nothing_of(jobs):
    jobs.begin(a_run("known"))
    runs = [a_run("known", "m-2", 1005.0), a_run("new")]
    assert jobs.batch.begin([(run, records.running(run)) for run in runs]) == [False, True]
    assert jobs.item("known")["message_id"] == {"S": "m-1"}
    item = jobs.item("new")
    assert (item["state"], item["started_at"]) == ({"S": "running"}, {"N": "1000.25"})


def test_of_a_batch_the_latest_attempts_have_their_results_recorded_once(jobs):
    latest, overtaken, unknown = a_run("latest"), a_run("overtaken"), a_run("unknown")
    jobs.begin(latest, overtaken, a_run("overtaken", "m-2", 1005.0))
    result = json.dumps('it\'s a "result" of ? and \\')
    ends = [(run, records.succeeded(run, result, 1010.0)) for run in (latest, overtaken, unknown)]
    assert jobs.batch.amend(ends) == [True, False, False]
    item = jobs.item("latest")
    assert (item["state"], item["result"]) == ({"S": "succeeded"}, {"S": result})
    assert item["history"]["L"][0]["M"]["state"] == {"S": "succeeded"}
    assert jobs.item("overtaken")["state"] == {"S": "running"}
    assert jobs.item("unknown") is None
    assert jobs.batch.amend(ends) == [False, False, False]


def test_a_batch_begins_what_it_can_then_end(jobs):
    run = a_run("j")
    jobs.batch.begin([(run, records.running(run))])
    assert jobs.batch.amend([(run, records.succeeded(run, "1", 1001.0))]) == [True]


def test_a_batch_is_allowed_by_what_allows_its_statements(
    cloud: EmbeddedCloud, jobs: Jobs, client, unique
) -> None:
    iam, name = client("iam"), unique("worker")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    table_arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{jobs.name}"
    allowed = {"Effect": "Allow", "Action": "dynamodb:PartiQLInsert", "Resource": table_arn}
    iam.put_role_policy(
        RoleName=name, PolicyName="jobs", PolicyDocument=json.dumps({"Statement": [allowed]})
    )
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="worker")["Credentials"]
    as_worker = cloud.client("dynamodb", credentials=keys)
    run = a_run("j")
    begins = [(run, records.running(run))]
    assert DynamoDbJobsBatch(as_worker, jobs.name).begin(begins) == [True]
    with pytest.raises(ClientError, match="PartiQLUpdate"):
        DynamoDbJobsBatch(as_worker, jobs.name).amend([(run, records.succeeded(run, "1", 1.0))])
    with pytest.raises(ClientError, match="AccessDenied"):
        DynamoDbJobsBatch(as_worker, "other").begin([(replace(run, job_id="k"), {"state": "x"})])
