"""What single kinds of faults do to a call, an event, a message or a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from faults.bus import Bus, Rule
from faults.metrics import MINUTE, QueueMetrics
from faults.partly import IN_PART
from faults.plan import Fault
from faults.queues import COPY_SECONDS, Queue, QueueSettings
from faults.shapes import check_of_answer
from faults.stale import LAG_SECONDS, EarlierAnswers
from faults.tasks import Tasks
from local.group.clock import VirtualClock

ENTRIES = {"QueueUrl": "q", "Entries": [{"Id": str(number)} for number in range(6)]}
KEYS = {"RequestItems": {"t": {"Keys": [{"sender": {"S": str(number)}} for number in range(6)]}}}
STATEMENTS = {"Statements": [{"Statement": str(number)} for number in range(6)]}


def queue(clock: VirtualClock) -> Queue:
    return Queue(Tasks(clock), Random(1), QueueSettings("q"))  # noqa: S311


def sent(request: Mapping[str, Any]) -> Mapping[str, Any]:
    ids = [entry["Id"] for entry in request["Entries"]]
    return {"Successful": [{"Id": it, "MessageId": it, "MD5OfMessageBody": ""} for it in ids]}


def read(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Responses": {"t": request["RequestItems"]["t"]["Keys"]}}


def executed(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Responses": [{"TableName": it["Statement"]} for it in request["Statements"]]}


@pytest.mark.parametrize(
    ("service", "operation", "request_", "act"),
    [
        ("sqs", "SendMessageBatch", ENTRIES, sent),
        ("dynamodb", "BatchGetItem", KEYS, read),
        ("dynamodb", "BatchExecuteStatement", STATEMENTS, executed),
    ],
)
@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_batch_in_part_is_an_answer_that_aws_could_give(
    service: str, operation: str, request_: Mapping[str, Any], act: Any, chance: float
) -> None:
    random = Random(1)  # noqa: S311

    answer = IN_PART[operation](request_, act, lambda: random.random() < chance)

    check_of_answer(service, operation)(answer, operation)
    refused = json.dumps(answer).count("Code") + len(
        answer.get("UnprocessedKeys", {}).get("t", {}).get("Keys", ())
    )
    assert {0.0: refused == 0, 0.5: 0 < refused < 6, 1.0: refused == 6}[chance]


def test_of_a_batch_in_part_every_response_belongs_to_its_statement() -> None:
    random = Random(1)  # noqa: S311

    answer = IN_PART["BatchExecuteStatement"](STATEMENTS, executed, lambda: random.random() < 0.4)

    names = [it.get("TableName", place) for place, it in enumerate(answer["Responses"])]
    assert [int(name) for name in names] == list(range(6))


def test_a_read_is_stale_for_seconds_only_and_only_where_aws_is_eventually_consistent() -> None:
    clock = VirtualClock(0.0)
    earlier = EarlierAnswers(clock.now)
    earlier.keep("autoscaling", "DescribeAutoScalingGroups", {}, {"then": True})
    earlier.keep("autoscaling", "SetDesiredCapacity", {}, {"then": True})

    clock.run_until(LAG_SECONDS)
    assert earlier.find("autoscaling", "DescribeAutoScalingGroups", {}) == {"then": True}
    assert earlier.find("autoscaling", "DescribeAutoScalingGroups", {"other": 1}) is None
    assert earlier.find("autoscaling", "SetDesiredCapacity", {}) is None
    clock.run_until(LAG_SECONDS + 1)
    assert earlier.find("autoscaling", "DescribeAutoScalingGroups", {}) is None


def arrivals(clock: VirtualClock, fault_kind: str, names: list[str]) -> list[str]:
    """Of events that are published ten seconds apart; the fault is the first one's."""
    inbox = queue(clock)
    faults = [Fault(0.0, fault_kind)]
    bus = Bus(
        clock,
        Random(1),  # noqa: S311
        [Rule(lambda *_: True, inbox)],
        lambda *_: faults.pop() if faults else None,
    )
    for number, name in enumerate(names):
        clock.run_until(10.0 * number)
        bus.publish("aws.ssm", "", {"EC2InstanceId": name}, ())
    clock.run_until(600.0)
    bodies = [json.loads(it.body) for it in inbox.messages.values()]
    return [it["detail"]["EC2InstanceId"] for it in bodies]


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("event_lost", ["second", "third"]),
        ("event_overtaken", ["second", "first", "third"]),
        ("event_late", ["second", "third", "first"]),
    ],
)
def test_events_are_lost_overtaken_or_late(kind: str, order: list[str]) -> None:
    assert arrivals(VirtualClock(0.0), kind, ["first", "second", "third"]) == order


def test_an_event_that_nothing_overtakes_comes_a_minute_later() -> None:
    assert arrivals(VirtualClock(0.0), "event_overtaken", ["only"]) == ["only"]


def test_a_doubled_message_is_handed_out_once_more_after_its_delete() -> None:
    clock = VirtualClock(0.0)
    jobs = queue(clock)
    jobs.send("job")
    [first] = jobs.take(10)
    jobs.keep_copy(first)

    jobs.delete(first.receipt)
    assert jobs.take(10) == []
    clock.run_until(COPY_SECONDS + 1)
    [again] = jobs.take(10)
    assert again.message_id == first.message_id
    jobs.delete(again.receipt)
    assert jobs.messages == {}


@pytest.mark.parametrize("delay_seconds", [0.0, 600.0, None])
def test_figures_of_a_minute_come_in_time_late_or_never(delay_seconds: float | None) -> None:
    clock = VirtualClock(0.0)
    delays = iter([delay_seconds])
    metrics = QueueMetrics(clock, queue(clock), lambda: next(delays, None))
    series = metrics.series["ApproximateNumberOfMessagesVisible"]

    clock.run_until(MINUTE + 1)
    assert (0.0 in series) == (delay_seconds == 0.0)
    clock.run_until(MINUTE + 601)
    assert (0.0 in series) == (delay_seconds is not None)
