"""What invokes functions: queues (event source mappings), the schedule, the alarm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from faults.functions import Function, Outcome
from faults.queues import Message, Queue
from local.group.clock import Schedule

POLL_SECONDS = 0.15
# Asynchronous invocations (Lambda developer guide, invocation-async).
RETRIES_AFTER_SECONDS = (60.0, 120.0)
THROTTLED_AGAIN_SECONDS = 10.0


class Invoking(Protocol):
    """What may come between an event and its invocation."""

    def may_invoke(self, function: str) -> bool: ...

    def invokes_twice(self, function: str) -> bool: ...


class Surroundings(Protocol):
    @property
    def clock(self) -> Schedule: ...

    @property
    def mischief(self) -> Invoking: ...


class QueueMapping:
    """An event source mapping that reports batch item failures."""

    def __init__(
        self,
        around: Surroundings,
        queue: Queue,
        function: Function,
        batch_size: int,
        concurrency: int,
    ) -> None:
        self._around = around
        self._queue = queue
        self._function = function
        self._batch_size = batch_size
        self._concurrency = concurrency
        self._running = 0
        self._planned = False
        self._closed = False
        queue.on_change = self._look_soon

    def close(self) -> None:
        """It is deleted: nothing is taken from the queue any more."""
        self._closed = True

    def _look_soon(self) -> None:
        if not self._planned and not self._closed:
            self._planned = True
            clock = self._around.clock
            clock.call_at(clock.now() + POLL_SECONDS, self._look)

    def _look(self) -> None:
        self._planned = False
        if self._closed:
            return
        if not self._around.mischief.may_invoke(self._function.name):
            self._planned = True
            clock = self._around.clock
            clock.call_at(clock.now() + THROTTLED_AGAIN_SECONDS, self._look)
            return
        while self._running < self._concurrency:
            batch = self._queue.take(self._batch_size)
            if not batch:
                return
            self._running += 1
            self._invoke(batch)
            if self._around.mischief.invokes_twice(self._function.name):
                self._running += 1
                self._invoke(batch)

    def _invoke(self, batch: list[Message]) -> None:
        event = {"Records": [_record(message, self._queue) for message in batch]}
        receipts = {message.message_id: message.receipt for message in batch}
        self._function.invoke(event, lambda outcome: self._ended(receipts, outcome))

    def _ended(self, receipts: Mapping[str, str], outcome: Outcome) -> None:
        self._running -= 1
        if not outcome.failed:
            failures = (outcome.answer or {}).get("batchItemFailures", [])
            failed = {it["itemIdentifier"] for it in failures}
            for message_id, receipt in receipts.items():
                if message_id not in failed:
                    self._queue.delete(receipt)
        self._look_soon()


class AsynchronousCalls:
    """Invocations without a queue: retried by Lambda, and left in a queue when all fail."""

    def __init__(
        self, around: Surroundings, function: Function, retries: int, failed_events: Queue
    ) -> None:
        self._around = around
        self._function = function
        self._retries = retries
        self._failed_events = failed_events
        self._closed = False

    def close(self) -> None:
        """It is deleted: nothing is invoked any more."""
        self._closed = True

    def invoke(self, event: Mapping[str, Any], attempt: int = 0) -> None:
        if self._closed:
            return
        clock = self._around.clock
        if not self._around.mischief.may_invoke(self._function.name):
            clock.call_at(clock.now() + THROTTLED_AGAIN_SECONDS, self.invoke, event, attempt)
            return
        self._function.invoke(event, lambda outcome: self._ended(event, attempt, outcome))
        if self._around.mischief.invokes_twice(self._function.name):
            self._function.invoke(event, lambda _: None)

    def _ended(self, event: Mapping[str, Any], attempt: int, outcome: Outcome) -> None:
        if not outcome.failed:
            return
        if attempt < self._retries:
            clock = self._around.clock
            delay = RETRIES_AFTER_SECONDS[attempt]
            clock.call_at(clock.now() + delay, self.invoke, event, attempt + 1)
        else:
            self._failed_events.send(json.dumps({"requestPayload": event}))


def _record(message: Message, queue: Queue) -> Mapping[str, Any]:
    return {
        "messageId": message.message_id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(round(message.sent_at * 1000)),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": str(round(message.leased_at * 1000)),
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue.settings.name}",
        "awsRegion": "us-east-1",
    }


def scheduled_event(now: float) -> Mapping[str, Any]:
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/reconcile-each-minute"],
        "detail": {},
    }


def alarm_event(now: float) -> Mapping[str, Any]:
    """As CloudWatch sends it to a function (events/on_queue_depth.json)."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return {
        "source": "aws.cloudwatch",
        "alarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:queue-depth",
        "accountId": "123456789012",
        "time": moment,
        "region": "us-east-1",
        "alarmData": {
            "alarmName": "queue-depth",
            "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": moment},
            "previousState": {"value": "OK", "reason": "below", "timestamp": moment},
            "configuration": {"description": "The queue has work", "metrics": []},
        },
    }
