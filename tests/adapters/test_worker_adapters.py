"""What the worker calls on AWS: the queue, the table, its own instance, its code."""

import json
from dataclasses import replace

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from pilotlight.aws.dead_letters import SqsDeadLetters
from pilotlight.aws.jobs_queue import LeaseLostError, SqsJobsQueue
from pilotlight.aws.jobs_table import DynamoDbJobsTable
from pilotlight.aws.own_instance import AutoScalingOwnInstance, RefusedError
from pilotlight.aws.worker_code import LambdaLayers, LayerArchive, SsmParameter
from pilotlight.jobs import records
from pilotlight.jobs.attempts import ReceivedMessage, Tally
from pilotlight.jobs.dead_letter import DeadLetter
from pilotlight.jobs.records import Run, Worker

REGION = "us-east-1"


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def queue(aws):
    client = boto3.client("sqs", REGION)
    url = client.create_queue(QueueName="jobs")["QueueUrl"]
    queue = SqsJobsQueue(client, url, clock=lambda: 1234.5)
    queue.send = lambda body: client.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
    return queue


@pytest.fixture
def table(aws):
    client = boto3.client("dynamodb", REGION)
    client.create_table(
        TableName="jobs",
        KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table = DynamoDbJobsTable(client, "jobs")

    def item(job_id):
        return client.get_item(TableName="jobs", Key={"job_id": {"S": job_id}}).get("Item")

    table.item = item
    return table


def a_run(started_at=1000.0, message_id="m-1", attempt=1) -> Run:
    message = ReceivedMessage(message_id, "r", "{}", attempt, 990.123, 999.5)
    return Run("j-1", Worker("i-1"), message, started_at, worker_ready_at=998.0)


def a_result(run: Run, result: str, now: float) -> dict:
    return records.running(run) | records.succeeded(run, result, now)


def after(run: Run, claim) -> Run:
    return replace(run, past=records.past(claim.before, run.message))


def test_a_message_arrives_with_its_attempt_and_times(queue):
    message_id = queue.send('{"payload": 1}')
    (message,) = queue.receive(at_most=10, wait_seconds=0)
    assert (message.message_id, message.body) == (message_id, '{"payload": 1}')
    assert (message.attempt, message.received_at) == (1, 1234.5)
    assert message.sent_at > 1_600_000_000


def test_a_message_handed_back_comes_again_as_the_next_attempt(queue):
    queue.send("{}")
    (message,) = queue.receive(1, 0)
    assert queue.receive(1, 0) == []
    queue.set_visibility(message, 0)
    (again,) = queue.receive(1, 0)
    assert again.attempt == 2


def test_a_deleted_message_is_gone(queue):
    queue.send("{}")
    (message,) = queue.receive(1, 0)
    assert queue.delete_batch([message]) == {}
    assert queue.visible() == 0


def test_of_a_batch_those_that_could_not_be_deleted_are_named(stubbed):
    client, stub = stubbed("sqs")
    failed = {"Id": "1", "Code": "InternalError", "Message": "try later", "SenderFault": False}
    stub.add_response("delete_message_batch", {"Successful": [{"Id": "0"}], "Failed": [failed]})
    messages = [a_run(message_id=name).message for name in ("m-1", "m-2")]
    with stub:
        refused = SqsJobsQueue(client, "https://sqs/jobs", lambda: 0.0).delete_batch(messages)
    assert refused == {"m-2": "InternalError: try later"}


@pytest.mark.parametrize(
    "code",
    [
        "AWS.SimpleQueueService.MessageNotInflight",
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",  # "Message does not exist or is not available for ... change"
    ],
)
def test_a_message_that_is_somebody_elses_by_now_is_said_to_be_so(stubbed, code):
    client, stub = stubbed("sqs")
    stub.add_client_error("change_message_visibility", code, "no", 400)
    with stub, pytest.raises(LeaseLostError, match="m-1"):
        SqsJobsQueue(client, "https://sqs/jobs", lambda: 0.0).set_visibility(a_run().message, 60)


def test_a_dead_letter_carries_the_body_and_why_it_is_there(aws):
    client = boto3.client("sqs", REGION)
    url = client.create_queue(QueueName="dead")["QueueUrl"]
    letter = DeadLetter('{"payload": 1}', "j-1", "ValueError: no", Tally(3, 1), "/g", "i-1/s")
    SqsDeadLetters(client, url).send(letter)
    (message,) = client.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"payload": 1}'
    said = {name: it["StringValue"] for name, it in message["MessageAttributes"].items()}
    assert said == {
        "job_id": "j-1",
        "reason": "ValueError: no",
        "failures": "3",
        "interruptions": "1",
        "log_group": "/g",
        "log_stream": "i-1/s",
    }


def test_what_waits_is_counted(queue):
    for _ in range(3):
        queue.send("{}")
    assert queue.visible() == 3


def test_a_run_is_recorded_from_beginning_to_result(table):
    run = a_run()
    assert table.begin(run, records.running(run)).granted
    assert table.item("j-1")["state"] == {"S": "running"}
    assert table.succeed(run, a_result(run, '{"loss": 1}', 1010.0))
    item = table.item("j-1")
    assert (item["state"], item["result"]) == ({"S": "succeeded"}, {"S": '{"loss": 1}'})
    assert item["sent_at"] == {"N": "990.123"}
    assert item["finished_at"] == {"N": "1010.0"}


def test_a_result_is_written_once(table):
    run = a_run()
    table.begin(run, records.running(run))
    table.succeed(run, a_result(run, "1", 1010.0))
    other = a_run(1005.0, "m-2")
    assert not table.begin(other, records.running(other)).granted
    assert not table.succeed(other, a_result(other, "2", 1011.0))
    assert not table.amend(run, records.failed(run, "E", "", 1012.0))
    assert not table.reject("j-1", records.malformed(run.message, "E", 1012.0))
    assert table.item("j-1")["result"] == {"S": "1"}


def test_a_new_attempt_wipes_the_failure_of_the_last(table):
    first = a_run()
    table.begin(first, records.running(first))
    assert table.amend(first, records.failed(first, "ValueError: no", "out", 1001.0))
    assert table.item("j-1")["error"] == {"S": "ValueError: no"}
    second = a_run(1005.0, attempt=2)
    claim = table.begin(second, records.running(second))
    assert claim.granted
    assert (claim.before["error"], claim.before["failures"]) == ("ValueError: no", 1)
    item = table.item("j-1")
    assert item["attempt"] == {"N": "2"}
    assert not {"error", "output_tail", "finished_at"} & set(item)


def test_each_attempt_that_ended_stays_in_the_history(table):
    first = a_run()
    first = after(first, table.begin(first, records.running(first)))
    table.amend(first, records.failed(first, "ValueError: no", "", 1001.0))
    second = a_run(1005.0, attempt=2)
    second = after(second, table.begin(second, records.running(second)))
    table.succeed(second, a_result(second, "1", 1006.5))
    third = a_run(1010.0, attempt=3)
    history = table.begin(third, records.running(third)).before["history"]
    assert [(entry["attempt"], entry["state"]) for entry in history] == [
        (1, "failed"),
        (2, "succeeded"),
    ]
    assert history[0]["error"] == "ValueError: no"
    assert history[1]["finished_at"] == 1006.5


def test_a_dead_lettered_job_does_not_begin_until_it_is_replayed(table):
    run = a_run(attempt=3)
    table.begin(run, records.running(run))
    attributes = records.failed(run, "ValueError: no", "", 1001.0)
    table.amend(run, attributes | records.dead_lettered(1001.0))
    again = a_run(1005.0, attempt=4)
    claim = table.begin(again, records.running(again))
    assert not claim.granted
    assert (claim.before["state"], claim.before["error"]) == ("dead_lettered", "ValueError: no")


def test_attempts_after_a_replay_are_numbered_on(table):
    run = a_run(attempt=3)
    table.begin(run, records.running(run))
    table.amend(run, {"state": "queued", "attempt_offset": 3})
    replayed = a_run(1005.0, message_id="m-2", attempt=1)
    replayed = after(replayed, table.begin(replayed, records.running(replayed)))
    assert replayed.attempt == 4
    assert table.item("j-1")["attempt"] == {"N": "4"}


def test_the_latest_attempt_adds_its_result_to_what_it_began_with(table):
    run = a_run()
    table.begin(run, records.running(run))
    assert table.amend(run, records.succeeded(run, "1", 1010.0))
    item = table.item("j-1")
    assert (item["result"], item["instance_id"]) == ({"S": "1"}, {"S": "i-1"})
    assert not table.amend(run, records.succeeded(run, "2", 1011.0))


def test_an_attempt_that_was_overtaken_does_not_fail_the_one_that_runs(table):
    slow, fast = a_run(), a_run(1005.0, attempt=2)
    table.begin(slow, records.running(slow))
    table.begin(fast, records.running(fast))
    assert not table.amend(slow, records.interrupted(slow, "the instance left", 1006.0))
    assert table.item("j-1")["state"] == {"S": "running"}


def test_the_failure_of_an_attempt_that_was_overtaken_counts_and_changes_nothing_else(table):
    slow, fast = a_run(), a_run(1005.0, message_id="m-2")
    table.begin(slow, records.running(slow))
    table.begin(fast, records.running(fast))
    before = table.item("j-1")
    assert not table.fail(slow, records.failed(slow, "ValueError: no", "", 1006.0))
    assert table.item("j-1") == before | {"failures": {"N": "1"}}


def test_a_failure_of_a_job_that_has_its_result_does_not_count(table):
    slow, fast = a_run(), a_run(1005.0, message_id="m-2")
    table.begin(slow, records.running(slow))
    table.begin(fast, records.running(fast))
    table.succeed(fast, a_result(fast, "1", 1006.0))
    assert not table.fail(slow, records.failed(slow, "ValueError: no", "", 1007.0))
    assert "failures" not in table.item("j-1")


def test_a_malformed_message_is_found_by_its_message_id(table):
    assert table.reject("m-9", records.malformed(a_run().message, "MalformedJob: not JSON", 1.0))
    assert table.item("m-9")["error"] == {"S": "MalformedJob: not JSON"}


@pytest.fixture
def stubbed():
    def make(service):
        client = boto3.client(
            service, REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )
        return client, Stubber(client)

    return make


@pytest.mark.parametrize(("call", "protected"), [("protect", True), ("unprotect", False)])
def test_protection_is_set_for_this_instance_alone(stubbed, call, protected):
    client, stub = stubbed("autoscaling")
    expected = {
        "AutoScalingGroupName": "g",
        "InstanceIds": ["i-1"],
        "ProtectedFromScaleIn": protected,
    }
    stub.add_response("set_instance_protection", {}, expected)
    with stub:
        getattr(AutoScalingOwnInstance(client, "g", "i-1"), call)()
    stub.assert_no_pending_responses()


def test_protection_in_the_wrong_state_is_refused_by_name(stubbed):
    client, stub = stubbed("autoscaling")
    text = "The instance i-1 is not in InService or EnteringStandby or Standby."
    stub.add_client_error("set_instance_protection", "ValidationError", text, 400)
    with stub, pytest.raises(RefusedError, match="not in InService"):
        AutoScalingOwnInstance(client, "g", "i-1").protect()


def test_unhealthy_is_reported_without_regard_to_a_grace_period(stubbed):
    client, stub = stubbed("autoscaling")
    expected = {
        "InstanceId": "i-1",
        "HealthStatus": "Unhealthy",
        "ShouldRespectGracePeriod": False,
    }
    stub.add_response("set_instance_health", {}, expected)
    with stub:
        AutoScalingOwnInstance(client, "g", "i-1").report_unhealthy()
    stub.assert_no_pending_responses()


def test_settings_are_the_text_of_a_parameter(aws):
    client = boto3.client("ssm", REGION)
    client.put_parameter(Name="/pilotlight/g/worker", Type="String", Value=json.dumps({"a": 1}))
    assert SsmParameter(client).read("/pilotlight/g/worker") == '{"a": 1}'


def test_a_layer_is_located_by_its_arn(stubbed):
    client, stub = stubbed("lambda")
    content = {"Location": "https://s3/zip", "CodeSha256": "abc="}
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:g-jobs:3"
    stub.add_response("get_layer_version_by_arn", {"Content": content}, {"Arn": arn})
    with stub:
        found = LambdaLayers(client).locate(arn)
    assert found == LayerArchive(arn, "https://s3/zip", "abc=")
