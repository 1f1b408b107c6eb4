"""The run's jobs table answers the shipped batch as DynamoDB does, statement by statement.

tests/embedded/test_jobs_batch.py asks the embedded AWS the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from faults.clients import Call, Client
from faults.expressions import ExpressionError
from faults.table import MAX_ITEM_BYTES, JobsTable
from pilotlight.aws.jobs_batch import DynamoDbJobsBatch
from pilotlight.aws.jobs_table import DynamoDbJobsTable
from pilotlight.jobs import records
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.records import Run, Worker

TABLE = "my.jobs-table"
SEEDS = range(10)  # the order within a batch is drawn


class Anybody:
    kind = name = "anybody"

    def crash(self) -> None:
        raise AssertionError


class StraightWire:
    def carry(self, call: Call) -> Mapping[str, Any]:
        return call.act(call.request)


class Jobs:
    def __init__(self, seed: int, name: str = TABLE) -> None:
        self.table = JobsTable(TABLE, "job_id", Random(seed), lambda *_: None)  # noqa: S311
        client: Any = Client("dynamodb", self.table.answers(), StraightWire(), Anybody())
        self._alone = DynamoDbJobsTable(client, name)
        self.batch = DynamoDbJobsBatch(client, name)

    def begin(self, *runs: Run) -> None:
        for run in runs:
            assert self._alone.begin(run, records.running(run)).granted

    def begin_together(self, *runs: Run) -> list[bool]:
        return self.batch.begin([(run, records.running(run)) for run in runs])

    def succeed_together(self, *runs: Run, result: str = "1") -> list[bool]:
        return self.batch.amend([(it, records.succeeded(it, result, 1010.0)) for it in runs])


def a_run(job_id: str, message_id: str = "m-1", started_at: float = 1000.25) -> Run:
    message = ReceivedMessage(message_id, "r", "{}", 1, 990.1, 999.5)
    return Run(job_id, Worker("i-1"), message, started_at, 998.0)


@pytest.fixture(params=SEEDS)
def jobs(request: pytest.FixtureRequest) -> Jobs:
    return Jobs(request.param)


def test_of_a_batch_those_jobs_begin_that_the_table_knows_nothing_of(jobs: Jobs) -> None:
    jobs.begin(a_run("known"))

    begun = jobs.begin_together(a_run("known", "m-2", 1005.0), a_run("new"))

    assert begun == [False, True]
    assert jobs.table.items["known"]["message_id"] == {"S": "m-1"}
    assert jobs.table.items["new"]["started_at"] == {"N": "1000.25"}


def test_of_a_batch_the_latest_attempts_have_their_results_recorded_once(jobs: Jobs) -> None:
    latest, overtaken, unknown = a_run("latest"), a_run("overtaken"), a_run("unknown")
    jobs.begin(latest, overtaken, a_run("overtaken", "m-2", 1005.0))

    assert jobs.succeed_together(latest, overtaken, unknown) == [True, False, False]
    assert jobs.table.items["latest"]["result"] == {"S": "1"}
    assert jobs.table.items["overtaken"]["state"] == {"S": "running"}
    assert "unknown" not in jobs.table.items
    assert jobs.succeed_together(latest) == [False]


def test_a_result_too_large_for_an_item_fails_alone(jobs: Jobs) -> None:
    jobs.begin(a_run("large"), a_run("small"))

    assert jobs.succeed_together(a_run("large"), result="x" * MAX_ITEM_BYTES) == [False]
    assert jobs.succeed_together(a_run("small")) == [True]


def test_two_statements_about_one_job_begin_it_once_or_the_batch_is_refused(jobs: Jobs) -> None:
    twins = (a_run("twin", "m-1"), a_run("twin", "m-2"))

    try:
        begun = jobs.begin_together(*twins)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException"
        assert jobs.table.items == {}
    else:
        assert sorted(begun) == [False, True]


def test_another_table_is_not_there() -> None:
    assert Jobs(1, "other").begin_together(a_run("job")) == [False]


@pytest.mark.parametrize(
    "text",
    [
        'DELETE FROM "jobs" WHERE "job_id"=?',
        'UPDATE "jobs" SET "state"=? WHERE "job_id"=? OR "state"=?',
        "INSERT INTO \"jobs\" VALUE {'job_id': 'literal'}",
    ],
)
def test_a_statement_that_the_run_cannot_read_ends_it(text: str) -> None:
    request = {"Statements": [{"Statement": text, "Parameters": [{"S": "x"}]}]}

    with pytest.raises(ExpressionError):
        Jobs(1).table.answers()["BatchExecuteStatement"](request)
