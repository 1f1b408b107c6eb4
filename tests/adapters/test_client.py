"""The client: what it sends, what it finds, and what it says when there is nothing to find."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from pilotlight.aws.configured_clients import configured_clients
from pilotlight.aws.job_sender import NotSentError, SqsJobSender
from pilotlight.aws.stack_outputs import JobsPlace, StackError, jobs_place
from pilotlight.client import Client, JobDeadLetteredError, JobUnfinishedError
from pilotlight.jobs.message import MAX_BODY_BYTES, parse_message, with_stored_payload
from pilotlight.jobs.submission import SubmissionError


class Stack:
    """The place of one, seen from the other side."""

    def __init__(self) -> None:
        queue_url = boto3.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
        boto3.client("dynamodb").create_table(
            TableName="jobs",
            KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("s3").create_bucket(Bucket="jobs-bucket")
        self.place = JobsPlace(queue_url, "jobs", "jobs-bucket")

    def received(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while (
            found := boto3.client("sqs")
            .receive_message(QueueUrl=self.place.queue_url, MaxNumberOfMessages=10)
            .get("Messages")
        ):
            messages += found
        return messages

    def record(self, job_id: str, **attributes: str) -> None:
        boto3.client("dynamodb").put_item(
            TableName=self.place.table_name,
            Item={"job_id": {"S": job_id}} | {key: {"S": it} for key, it in attributes.items()},
        )

    def payload(self, job_id: str) -> bytes:
        answer = boto3.client("s3").get_object(
            Bucket=self.place.bucket_name, Key=f"payloads/{job_id}"
        )
        return bytes(answer["Body"].read())


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Stack()


def test_a_submitted_job_is_the_message_that_anyone_could_send(stack: Stack) -> None:
    sent = Client(place=stack.place).submit({"task": "train"}, job_id="run-17")
    [message] = stack.received()
    assert sent.job_id == "run-17"
    assert sent.message_id == message["MessageId"]
    assert json.loads(message["Body"]) == {"job_id": "run-17", "payload": {"task": "train"}}


def test_a_job_gets_an_id_before_it_is_sent_so_that_a_retry_does_not_double_it(
    stack: Stack,
) -> None:
    sent = Client(place=stack.place).submit(None)
    [message] = stack.received()
    assert json.loads(message["Body"])["job_id"] == sent.job_id != sent.message_id


def test_a_large_payload_goes_through_the_bucket(stack: Stack) -> None:
    payload = {"text": "x" * MAX_BODY_BYTES}
    Client(place=stack.place).submit(payload, job_id="large")
    [message] = stack.received()
    job = parse_message(message["Body"], "other")
    assert with_stored_payload(job, stack.payload("large")).payload == payload


def test_many_jobs_are_sent_in_batches_that_sqs_takes(stack: Stack) -> None:
    payloads = {f"job-{number}": "x" * 300_000 for number in range(25)}
    sent = Client(place=stack.place).submit_many(payloads)
    assert [job.job_id for job in sent] == list(payloads)
    received = {json.loads(message["Body"])["job_id"] for message in stack.received()}
    assert received == set(payloads)
    assert len({job.job_id for job in Client(place=stack.place).submit_many([1, 2, 3])}) == 3


def test_nothing_is_sent_when_one_of_many_cannot_be(stack: Stack) -> None:
    with pytest.raises(SubmissionError, match="not JSON"):
        Client(place=stack.place).submit_many([1, float("nan")])
    assert stack.received() == []


class PickyQueue:
    """Refuses the second of each batch."""

    def send_message_batch(self, QueueUrl: str, Entries: Any) -> Any:  # noqa: N803
        taken = [{"Id": it["Id"], "MessageId": f"m-{it['Id']}"} for it in Entries]
        refused = {"Id": "1", "Code": "InternalError", "Message": "try again", "SenderFault": False}
        return {"Successful": [taken[0], *taken[2:]], "Failed": [refused]}


def test_what_sqs_refuses_is_named_with_what_was_sent() -> None:
    sender = SqsJobSender(PickyQueue(), "https://sqs/jobs")  # type: ignore[arg-type]
    with pytest.raises(NotSentError, match="message 1 of 3: InternalError try again; 2 were sent"):
        sender.send(["a", "b", "c"])


def test_the_result_is_what_the_handler_returned(stack: Stack) -> None:
    stack.record("done", state="succeeded", result='{"loss": 0.5}')
    assert Client(place=stack.place).result("done") == {"loss": 0.5}


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_job_that_is_under_way_has_no_result_yet(stack: Stack, state: str) -> None:
    stack.record("j", state=state, error="")
    with pytest.raises(JobUnfinishedError, match=f"it is {state}"):
        Client(place=stack.place).result("j")


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_a_job_that_will_run_again_says_so_and_why(stack: Stack, state: str) -> None:
    stack.record("j", state=state, error="ValueError: no good")
    told = f"its latest attempt ended as {state}, ValueError: no good, and it runs again"
    with pytest.raises(JobUnfinishedError, match=told) as raised:
        Client(place=stack.place).result("j")
    assert raised.value.state == state


def test_an_empty_id_is_no_request_for_a_random_one(stack: Stack) -> None:
    with pytest.raises(SubmissionError, match="job_id is ''"):
        Client(place=stack.place).submit(1, job_id="")


def test_a_job_that_nobody_received_says_so(stack: Stack) -> None:
    with pytest.raises(JobUnfinishedError, match="has not been received"):
        Client(place=stack.place).result("j")


def test_a_dead_lettered_job_says_why(stack: Stack) -> None:
    stack.record("j", state="dead_lettered", error="ValueError: no good")
    with pytest.raises(JobDeadLetteredError, match="ValueError: no good"):
        Client(place=stack.place).wait("j", timeout_seconds=1000)


class Clock:
    """Time passes while one sleeps; at 60 seconds the job has its result."""

    def __init__(self, stack: Stack) -> None:
        self.now = 0.0
        self.looks = 0
        self._stack = stack

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.looks += 1
        self.now += seconds
        if self.now >= 60:
            self._stack.record("j", state="succeeded", result="42")


def test_waiting_ends_with_the_result_and_looks_ever_less_often(stack: Stack) -> None:
    clock = Clock(stack)
    client = Client(place=stack.place, clock=clock, sleep=clock.sleep)
    assert client.wait("j", timeout_seconds=3600) == 42
    assert 60 <= clock.now < 65
    assert clock.looks < 20


def test_waiting_ends_when_its_time_is_over(stack: Stack) -> None:
    clock = Clock(stack)
    with pytest.raises(JobUnfinishedError):
        Client(place=stack.place, clock=clock, sleep=clock.sleep).wait("j", timeout_seconds=10)
    assert clock.now == pytest.approx(10)


OUTPUTS = {"JobsQueueUrl": "https://sqs/jobs", "JobsTableName": "t", "JobsBucketName": "b"}


def place_of(stack: str, outputs: dict[str, str] | None) -> JobsPlace:
    """What is found when CloudFormation has a stack with these outputs, or none at all."""
    client = boto3.client(
        "cloudformation", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    listed = [{"OutputKey": key, "OutputValue": it} for key, it in (outputs or {}).items()]
    described = {
        "StackName": stack,
        "StackStatus": "CREATE_IN_PROGRESS",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "Outputs": listed,
    }
    with Stubber(client) as stub:
        if outputs is None:
            stub.add_client_error("describe_stacks", "ValidationError", f"{stack} does not exist")
        else:
            stub.add_response("describe_stacks", {"Stacks": [described]})
        return jobs_place(client, stack)


def test_the_place_of_a_stack_is_in_its_outputs() -> None:
    assert place_of("mine", {"Other": "x"} | OUTPUTS) == JobsPlace("https://sqs/jobs", "t", "b")


def test_a_stack_that_is_not_there_is_named_with_the_remedy() -> None:
    with pytest.raises(StackError, match="no stack 'nowhere' in eu-central-1: deploy it"):
        place_of("nowhere", None)


def test_a_stack_that_lacks_an_output_is_named_with_its_state() -> None:
    with pytest.raises(StackError, match=r"'new' \(CREATE_IN_PROGRESS\) has no output JobsTable"):
        place_of("new", {"JobsQueueUrl": "https://sqs/jobs"})


def test_calls_are_retried_in_standard_mode(stack: Stack) -> None:
    retries = configured_clients().sqs.meta.config.retries
    assert (retries["mode"], retries["total_max_attempts"]) == ("standard", 5)
