"""Events reach queues and functions, and what cannot be delivered is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.cloud import EmbeddedCloud

Unique = Callable[[str], str]


def queue(cloud: EmbeddedCloud, name: str, **attributes: str) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def let_rule_send(cloud: EmbeddedCloud, url: str, rule_arn: str) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
                "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
    cloud.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps(policy)}
    )


def rule(cloud: EmbeddedCloud, name: str, pattern: dict[str, Any], **target: Any) -> str:
    """ARN of a new rule with one target."""
    events = cloud.client("events")
    arn: str = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "1", **target}])
    return arn


def put(cloud: EmbeddedCloud, source: str, detail: dict[str, Any]) -> None:
    entry = {"Source": source, "DetailType": "Thing Happened", "Detail": json.dumps(detail)}
    assert cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def receive(cloud: EmbeddedCloud, url: str, wait_seconds: int = 10) -> list[dict[str, Any]]:
    answer = cloud.client("sqs").receive_message(
        QueueUrl=url, WaitTimeSeconds=wait_seconds, MessageAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def test_an_event_of_an_aws_service_reaches_the_queue_of_a_matching_rule(
    cloud: EmbeddedCloud, unique: Unique
) -> None:
    url, arn = queue(cloud, unique("queue"))
    group = unique("group")
    pattern = {"source": ["custom"], "detail": {"name": [{"prefix": group}]}}
    let_rule_send(cloud, url, rule(cloud, unique("rule"), pattern, Arn=arn))
    put(cloud, "custom", {"name": "another"})
    put(cloud, "custom", {"name": f"{group}-workers", "n": 1})
    [message] = receive(cloud, url)
    event = json.loads(message["Body"])
    assert event["detail"] == {"name": f"{group}-workers", "n": 1}
    assert event["account"] == "000000000000"
    assert receive(cloud, url, wait_seconds=0) == []


def test_a_queue_whose_policy_names_no_rule_gets_nothing_and_the_dead_letter_queue_says_why(
    cloud: EmbeddedCloud, unique: Unique
) -> None:
    url, arn = queue(cloud, unique("queue"))
    dead_url, dead_arn = queue(cloud, unique("dead"))
    source = unique("custom")
    rule_arn = rule(
        cloud, unique("rule"), {"source": [source]}, Arn=arn, DeadLetterConfig={"Arn": dead_arn}
    )
    let_rule_send(cloud, dead_url, rule_arn)
    put(cloud, source, {})
    [message] = receive(cloud, dead_url)
    said = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert said["ERROR_CODE"] == "NO_PERMISSIONS"
    assert said["TARGET_ARN"] == arn
    assert receive(cloud, url, wait_seconds=0) == []


def test_callers_cannot_pretend_to_be_an_aws_service(cloud: EmbeddedCloud) -> None:
    entry = {"Source": "aws.autoscaling", "DetailType": "x", "Detail": "{}"}
    answer = cloud.client("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


@pytest.fixture
def failing(
    cloud: EmbeddedCloud, make_function: Callable[..., str], unique: Unique
) -> tuple[str, str, str]:
    """A function that always fails: its ARN, the URL of its failure queue, its name."""
    dead_url, dead_arn = queue(cloud, unique("failed"))
    arn = make_function(
        "def handler(event, context):\n    raise ValueError('no')\n",
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead_arn},
    )
    name = arn.rpartition(":")[2]
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": dead_arn}}
    )
    return arn, dead_url, name


@pytest.mark.parametrize(("retries", "calls"), [({}, 3), ({"MaximumRetryAttempts": 0}, 1)])
def test_a_function_that_fails_is_tried_again_then_its_event_goes_to_the_destination(
    retries: dict[str, int],
    calls: int,
    cloud: EmbeddedCloud,
    failing: tuple[str, str, str],
    unique: Unique,
) -> None:
    arn, dead_url, name = failing
    functions = cloud.client("lambda")
    kept = functions.get_function_event_invoke_config(FunctionName=name)["DestinationConfig"]
    functions.put_function_event_invoke_config(FunctionName=name, DestinationConfig=kept, **retries)
    source = unique("custom")
    rule_arn = rule(cloud, unique("rule"), {"source": [source]}, Arn=arn)
    cloud.client("lambda").add_permission(
        FunctionName=name,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
    put(cloud, source, {"job": 7})
    [message] = receive(cloud, dead_url, wait_seconds=20)
    envelope = json.loads(message["Body"])
    assert envelope["requestPayload"]["detail"] == {"job": 7}
    assert envelope["requestContext"]["condition"] == "RetriesExhausted"
    assert envelope["requestContext"]["approximateInvokeCount"] == calls
    assert envelope["responsePayload"]["errorType"] == "ValueError"
    logs = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert sum("START RequestId" in line["message"] for line in logs) == calls


def test_a_rule_may_not_invoke_a_function_that_did_not_permit_it(
    cloud: EmbeddedCloud, failing: tuple[str, str, str], unique: Unique
) -> None:
    arn, dead_url, _ = failing
    source = unique("custom")
    rule(cloud, unique("rule"), {"source": [source]}, Arn=arn)
    put(cloud, source, {})
    assert receive(cloud, dead_url, wait_seconds=5) == []


TICK = """
    import boto3, os, time
    def handler(event, context):
        slot = int(time.time())
        boto3.client("sqs").send_message(QueueUrl=os.environ["URL"], MessageBody="tick",
            MessageGroupId="g", MessageDeduplicationId=str(slot + 1))
        print("slot", slot, len(event["Records"]))
"""


@pytest.fixture
def start_ticking(
    cloud: EmbeddedCloud, make_function: Callable[..., str], unique: Unique
) -> Iterator[Callable[[str], str]]:
    """`start_ticking(recursive_loop)`: name of a function which sends itself a tick each second.

    A FIFO queue with a delay, whose reader sends the tick of the next slot.
    """
    functions = cloud.client("lambda")
    mappings: list[str] = []

    def start(recursive_loop: str) -> str:
        name = f"{unique('tick')}.fifo"
        url, arn = queue(cloud, name, FifoQueue="true", DelaySeconds="1", VisibilityTimeout="30")
        reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        statement = {"Effect": "Allow", "Resource": arn, "Action": ["sqs:SendMessage", *reads]}
        function = make_function(TICK, statement, environment={"URL": url})
        functions.put_function_recursion_config(FunctionName=function, RecursiveLoop=recursive_loop)
        mapping = functions.create_event_source_mapping(
            FunctionName=function, EventSourceArn=arn, BatchSize=1
        )
        mappings.append(mapping["UUID"])
        for _ in range(2):  # a second seed of the same slot must not make a second tick
            cloud.client("sqs").send_message(
                QueueUrl=url, MessageBody="t", MessageGroupId="g", MessageDeduplicationId="s"
            )
        return function.rpartition(":")[2]

    yield start
    for uuid in mappings:
        functions.delete_event_source_mapping(UUID=uuid)


def wait_for_lines(
    cloud: EmbeddedCloud, function_name: str, word: str, count: int, limit_seconds: float
) -> list[list[str]]:
    """What was printed after `word` so far, as soon as there are `count` such lines."""
    deadline = time.monotonic() + limit_seconds
    while len(found := lines(cloud, function_name, word)) < count and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def test_a_tick_that_sends_itself_goes_on_once_per_slot(
    cloud: EmbeddedCloud, start_ticking: Callable[[str], str]
) -> None:
    ticks = wait_for_lines(cloud, start_ticking("Allow"), "slot", 20, limit_seconds=120)
    slots = [slot for slot, _ in ticks]
    assert len(slots) >= 20
    assert len(slots) == len(set(slots))


def test_a_loop_that_is_not_allowed_is_stopped_after_sixteen_rounds(
    cloud: EmbeddedCloud, start_ticking: Callable[[str], str]
) -> None:
    name = start_ticking("Terminate")
    assert len(wait_for_lines(cloud, name, "slot", 16, limit_seconds=120)) == 16
    assert len(wait_for_lines(cloud, name, "slot", 17, limit_seconds=5)) == 16


READ = """
    import time
    def handler(event, context):
        for record in event["Records"]:
            print("due", record["body"], time.time())
"""


def test_messages_sent_together_reach_a_function_each_after_its_own_delay(
    cloud: EmbeddedCloud, make_function: Callable[..., str], unique: Unique
) -> None:
    url, arn = queue(cloud, unique("delayed"), VisibilityTimeout="30")
    reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    function = make_function(READ, {"Effect": "Allow", "Resource": arn, "Action": reads})
    functions = cloud.client("lambda")
    mapping = functions.create_event_source_mapping(FunctionName=function, EventSourceArn=arn)
    now = time.time()
    cloud.client("sqs").send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(delay), "MessageBody": str(now + delay), "DelaySeconds": delay}
            for delay in (6, 0, 3)
        ],
    )
    try:
        printed = wait_for_lines(cloud, function.rpartition(":")[2], "due", 3, limit_seconds=120)
    finally:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    dues = [float(due) for due, _ in printed]
    assert dues == [now, now + 3, now + 6]
    assert all(float(seen) >= float(due) for due, seen in printed)


def lines(cloud: EmbeddedCloud, function_name: str, word: str) -> list[list[str]]:
    """The words after `word` of each line that begins with it."""
    logs = cloud.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function_name}")["logGroups"]:
        return []
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{function_name}", filterPattern=f'"{word}"'
    )
    words = [event["message"].split() for page in pages for event in page["events"]]
    return [rest for first, *rest in filter(None, words) if first == word]
