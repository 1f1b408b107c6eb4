"""Who publishes metrics: queues and groups each minute, log lines when they are written."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from local.seams.cloudwatch_store import store
from local.services.emf import embedded_metrics
from local.services.measurements import Measurement
from local.services.metric_time import MetricTime
from local.services.queue_metrics import (
    IDLE_SECONDS,
    LONGEST_WAKE_SECONDS,
    QueueActivity,
    queue_measurements,
)

MetricSource = Callable[[float], Iterable[Measurement]]
"""Called in the account's scope with the epoch seconds of a minute's end; gives its values."""

_sources: list[MetricSource] = []


def add_source(source: MetricSource) -> None:
    """Have a service's metrics published each CloudWatch minute; it may be added at any time."""
    _sources.append(source)


def publish_minute(minute_end: float, minute_seconds: float) -> None:
    """Ask every source, and store its values as of the minute that ends now."""
    for source in list(_sources):
        for measurement in source(minute_end):
            store(measurement, minute_end - minute_seconds)


def read_embedded_metrics() -> None:
    """Stock keeps log lines in embedded metric format as text only; CloudWatch makes metrics."""
    from ministack.services import cloudwatch_logs

    stock = cloudwatch_logs._append_log_events

    def append(stream: dict[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        stock(stream, events)
        for event in events:
            for metric in embedded_metrics(event["message"]):
                for value in metric.values:
                    store(
                        Measurement(
                            metric.namespace, metric.name, metric.dimensions, value, metric.unit
                        ),
                        metric.timestamp,
                    )

    cloudwatch_logs._append_log_events = append


def watch_queues(metric_time: MetricTime) -> None:
    """Stock publishes no SQS metrics."""
    activity = QueueActivity(
        metric_time.real_seconds(IDLE_SECONDS),
        metric_time.real_seconds(LONGEST_WAKE_SECONDS),
        random.random,
    )
    note_actions(activity)
    note_mapping_reads(activity)
    add_source(lambda now: _measure_queues(activity, now))


def note_actions(activity: QueueActivity) -> None:
    """Every API action on a queue passes `_dispatch`: it keeps the queue active, and counts."""
    from ministack.services import sqs

    stock = sqs._dispatch

    async def dispatch(action: str, data: dict[str, Any], queue_url: str) -> Any:
        result = await stock(action, data, queue_url)
        name = _queue_name(data.get("QueueUrl") or queue_url or result.get("QueueUrl", ""))
        if action == "DeleteQueue":
            activity.forget(name)
        elif name:
            activity.touch(name, time.time(), _counted(action, result))
        return result

    sqs._dispatch = dispatch


def note_mapping_reads(activity: QueueActivity) -> None:
    """Lambda's event source mappings read queues without `_dispatch`."""
    from ministack.services import sqs

    stock_receive, stock_delete = sqs._receive_messages_for_esm, sqs._delete_messages_for_esm

    def receive(queue_url: str, max_number: int) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = stock_receive(queue_url, max_number)
        counts = _counted("ReceiveMessage", {"Messages": messages})
        activity.touch(_queue_name(queue_url), time.time(), counts)
        return messages

    def delete(queue_url: str, receipt_handles: set[str]) -> None:
        stock_delete(queue_url, receipt_handles)
        counts = {"NumberOfMessagesDeleted": float(len(receipt_handles))}
        activity.touch(_queue_name(queue_url), time.time(), counts)

    sqs._receive_messages_for_esm = receive
    sqs._delete_messages_for_esm = delete


def _queue_name(queue_url: str) -> str:
    return queue_url.rstrip("/").rpartition("/")[2]


def _counted(action: str, result: Mapping[str, Any]) -> dict[str, float]:
    """What a successful action adds to the NumberOf metrics of its queue."""
    if action == "ReceiveMessage":
        received = len(result.get("Messages") or [])
        name = "NumberOfMessagesReceived" if received else "NumberOfEmptyReceives"
        return {name: float(received or 1)}
    if action in ("SendMessageBatch", "DeleteMessageBatch"):
        name = "NumberOfMessagesSent" if action.startswith("Send") else "NumberOfMessagesDeleted"
        return {name: float(len(result.get("Successful") or []))}
    single = {
        "SendMessage": "NumberOfMessagesSent",
        "DeleteMessage": "NumberOfMessagesDeleted",
    }.get(action)
    return {single: 1.0} if single else {}


def _measure_queues(activity: QueueActivity, now: float) -> list[Measurement]:
    from ministack.services import sqs

    measured: list[Measurement] = []
    for url, queue in sqs._queues.items():
        name = _queue_name(url)
        with sqs._queues_lock:
            sqs._refresh_counts(queue)
            messages = list(queue["messages"])
            attributes = dict(queue["attributes"])
        if messages:
            activity.touch(name, now)
        counts = activity.taken_counts(name, now)
        if counts is not None:
            measured += queue_measurements(name, _depths(attributes), messages, counts, now)
    return measured


def _depths(attributes: Mapping[str, str]) -> dict[str, int]:
    """Metric names and GetQueueAttributes names differ in one word."""
    return {
        "ApproximateNumberOfMessagesVisible": int(attributes["ApproximateNumberOfMessages"]),
        "ApproximateNumberOfMessagesNotVisible": int(
            attributes["ApproximateNumberOfMessagesNotVisible"]
        ),
        "ApproximateNumberOfMessagesDelayed": int(attributes["ApproximateNumberOfMessagesDelayed"]),
    }
