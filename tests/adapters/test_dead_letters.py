"""Dead letters as an operator reads and replays them, with SQS, DynamoDB and Logs of moto."""

import json
import time
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.dead_letters import DeadLetterQueue
from cli.dead_letters_command import read_dead_jobs
from cli.errors import CommandError
from cli.job_logs import JobLog
from cli.jobs import JobsDesk
from cli.replay import Replay, Verdict
from pilotlight.aws.attribute_values import typed
from pilotlight.aws.dead_letters import SqsDeadLetters
from pilotlight.jobs.attempts import Tally
from pilotlight.jobs.dead_letter import DeadLetter

REGION = "us-east-1"
GROUP = "/pilotlight/demo/workers"
STREAM = "i-1/20261114T221320Z"


class DeployedStack:
    """What a command knows of a stack, made by hand: two queues, a table, a log group."""

    name = "demo"
    group_name = "demo-workers"

    def __init__(self) -> None:
        self.cloud = self
        self._clients: dict[str, Any] = {}
        sqs = self.client("sqs")
        self.dead_url = sqs.create_queue(QueueName="dead")["QueueUrl"]
        dead_arn = sqs.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": dead_arn["Attributes"]["QueueArn"], "maxReceiveCount": 1}
        self.queue_url = sqs.create_queue(
            QueueName="jobs", Attributes={"RedrivePolicy": json.dumps(redrive)}
        )["QueueUrl"]
        self.client("dynamodb").create_table(
            TableName="jobs",
            KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.client("logs").create_log_group(logGroupName=GROUP)
        self.outputs = {
            "JobsQueueUrl": self.queue_url,
            "JobsDeadLetterQueueUrl": self.dead_url,
            "JobsTableName": "jobs",
            "WorkersLogGroupName": GROUP,
        }

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service, REGION)
        return self._clients[service]

    def output(self, key: str) -> str:
        return self.outputs[key]

    def dead_letter(self, job_id: str, body: str = "", reason: str = "ValueError: no") -> None:
        """As a worker sends it."""
        body = body or json.dumps({"job_id": job_id, "payload": 1})
        letter = DeadLetter(body, job_id, reason, Tally(3, 1), GROUP, STREAM)
        SqsDeadLetters(self.client("sqs"), self.dead_url).send(letter)

    def moved_by_sqs(self, body: str) -> str:
        """As SQS moves what was received too often; returns the message's id, which it keeps."""
        sqs = self.client("sqs")
        message_id = sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)["MessageId"]
        for _ in range(2):
            sqs.receive_message(QueueUrl=self.queue_url, VisibilityTimeout=0)
        return str(message_id)

    def put(self, job_id: str, **attributes: Any) -> None:
        item = {"job_id": job_id, "sent_at": 1.0, "started_at": 5.25, "attempt": 4, **attributes}
        self.client("dynamodb").put_item(
            TableName="jobs", Item={name: typed(value) for name, value in item.items()}
        )

    def item(self, job_id: str) -> dict[str, Any]:
        found = self.client("dynamodb").get_item(TableName="jobs", Key={"job_id": {"S": job_id}})
        return {name: next(iter(it.values())) for name, it in found.get("Item", {}).items()}

    def waiting(self) -> list[dict[str, Any]]:
        """Bodies in the jobs queue."""
        found = self.client("sqs").receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    def replay(self) -> dict[str, Verdict]:
        """Of all letters, by their jobs' ids."""
        done: dict[str, Verdict] = {}
        queue = DeadLetterQueue(self)
        with queue.all_letters() as letters:
            Replay(self, JobsDesk(self), queue).run(
                letters, lambda one: done.update({one.letter.job_id: one.verdict})
            )
        return done


@pytest.fixture
def stack(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("cli.dead_letters.POLL_SECONDS", 0)
    with mock_aws():
        yield DeployedStack()


def test_dead_letters_are_read_with_their_reasons_and_stay_where_they_are(stack):
    for number in range(12):
        stack.dead_letter(f"job-{number}")
    stack.put("job-0", state="dead_lettered", output_tail="Traceback\nValueError: no")
    for _ in range(2):
        found = {dead.letter.job_id: dead for dead in read_dead_jobs(stack)}
        assert len(found) == 12
        assert {dead.reason for dead in found.values()} == {"ValueError: no"}
        assert found["job-0"].output_tail.endswith("ValueError: no")
        assert (found["job-1"].failures, found["job-1"].interruptions) == (3, 1)
        assert found["job-1"].letter.log_stream == STREAM


def test_a_job_that_died_with_its_last_worker_is_told_so_and_declared_dead(stack):
    message_id = stack.moved_by_sqs('{"job_id": "lost", "payload": 1}')
    stack.put("lost", state="running", message_id=message_id, instance_id="i-7")
    [dead] = read_dead_jobs(stack)
    assert dead.reason == (
        "moved by SQS after 4 deliveries; the last of them, on i-7, never ended: "
        "its worker was lost"
    )
    item = stack.item("lost")
    assert (item["state"], item["error"]) == ("dead_lettered", dead.reason)
    assert abs(float(item["dead_lettered_at"]) - time.time()) < 60


def test_a_job_that_runs_by_another_message_is_left_as_it_is(stack):
    stack.moved_by_sqs('{"job_id": "twice", "payload": 1}')
    stack.put("twice", state="running", message_id="m-other")
    [dead] = read_dead_jobs(stack)
    assert dead.reason == "moved by SQS; the job is running"
    assert stack.item("twice")["state"] == "running"
    assert stack.replay() == {"twice": Verdict.UNDER_WAY}
    assert len(DeadLetterQueue(stack).job_ids()) == 1


def test_a_replayed_job_is_in_the_queue_again_with_all_of_its_attempts(stack):
    stack.dead_letter("a", '{"job_id": "a", "payload": {"seed": 7}}')
    stack.put("a", state="dead_lettered", failures=3, interruptions=2, dead_lettered_at=9.0)
    assert stack.replay() == {"a": Verdict.REPLAY}
    assert stack.waiting() == [{"job_id": "a", "payload": {"seed": 7}}]
    item = stack.item("a")
    assert (item["state"], item["failures"], item["interruptions"]) == ("queued", "0", "0")
    assert item["attempt_offset"] == "4"
    assert "dead_lettered_at" not in item
    assert DeadLetterQueue(stack).job_ids() == set()


def test_a_job_without_an_id_of_its_own_keeps_the_one_that_it_had(stack):
    message_id = stack.moved_by_sqs('{"payload": 1}')
    assert stack.replay() == {message_id: Verdict.REPLAY}
    assert stack.waiting() == [{"job_id": message_id, "payload": 1}]
    assert stack.item(message_id)["state"] == "queued"


def test_a_job_with_two_letters_is_sent_once(stack):
    for _ in range(2):
        stack.dead_letter("a")
    stack.put("a", state="dead_lettered")
    stack.replay()
    assert len(stack.waiting()) == 1
    assert DeadLetterQueue(stack).job_ids() == set()


def test_a_replay_that_broke_off_before_it_sent_is_done_again(stack):
    stack.dead_letter("a")
    stack.put("a", state="queued", failures=0)
    assert stack.replay() == {"a": Verdict.REPLAY}
    assert len(stack.waiting()) == 1


def test_a_job_that_has_its_result_is_not_sent_and_its_letter_goes(stack):
    stack.dead_letter("a")
    stack.put("a", state="succeeded", result="1")
    assert stack.replay() == {"a": Verdict.HAS_RESULT}
    assert stack.waiting() == []
    assert DeadLetterQueue(stack).job_ids() == set()


def test_what_no_worker_can_read_is_not_sent_again_and_stays(stack):
    stack.dead_letter("m-1", "this is no job", "MalformedJob: the body is not JSON")
    assert stack.replay() == {"m-1": Verdict.MALFORMED}
    assert stack.waiting() == []
    assert DeadLetterQueue(stack).job_ids() == {"m-1"}


def test_a_job_that_changes_between_reading_and_writing_is_not_sent(stack, monkeypatch):
    stack.dead_letter("a")
    stack.put("a", state="dead_lettered")
    stale = JobsDesk(stack).read(["a"])
    stack.put("a", state="running", started_at=77.0)
    monkeypatch.setattr(JobsDesk, "read", lambda *_: stale)
    assert stack.replay() == {"a": Verdict.CHANGED}
    assert stack.waiting() == []
    assert DeadLetterQueue(stack).job_ids() == {"a"}


def test_dead_letters_of_a_queue_of_yours_are_found_by_its_redrive_policy(stack):
    del stack.outputs["JobsDeadLetterQueueUrl"]
    assert DeadLetterQueue(stack).url == stack.dead_url


def test_a_queue_without_a_redrive_policy_is_named_with_the_remedy(stack):
    del stack.outputs["JobsDeadLetterQueueUrl"]
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.queue_url, Attributes={"RedrivePolicy": ""}
    )
    with pytest.raises(CommandError, match="has no redrive policy"):
        DeadLetterQueue(stack)


def test_what_somebody_else_wrote_beside_a_message_does_no_harm(stack):
    stack.client("sqs").send_message(
        QueueUrl=stack.dead_url,
        MessageBody="{}",
        MessageAttributes={
            "failures": {"DataType": "String", "StringValue": "many"},
            "job_id": {"DataType": "Binary", "BinaryValue": b"\\0"},
        },
    )
    with DeadLetterQueue(stack).all_letters() as letters:
        [letter] = letters
    assert (letter.failures, letter.job_id) == (0, letter.message_id)


def test_lines_of_a_job_are_read_once_and_those_of_others_not_at_all(stack):
    now = round(time.time(), 3)
    logs = stack.client("logs")
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)

    def say(at: float, **fields: Any) -> None:
        event = {"timestamp": round(at * 1000), "message": json.dumps({"at": at, **fields})}
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[event])

    stack.put(
        "a",
        state="running",
        attempt=1,
        message_id="m-1",
        instance_id="i-1",
        received_at=now,
        started_at=now,
        log_stream=STREAM,
    )
    say(now - 100, event="job_output", job_id="a", text="of an earlier life")
    say(now, event="job_started", job_id="a", message_id="m-1")
    say(now + 1, event="job_output", job_id="b", text="somebody else's")
    log, [job] = JobLog(stack, "a"), JobsDesk(stack).read(["a"])
    assert [line.fields["event"] for line in log.read_new(job)] == ["job_started"]
    say(now + 2, event="lease_lost", message_id="m-1")
    assert [line.fields["event"] for line in log.read_new(job)] == ["lease_lost"]
    assert log.read_new(job) == []
