"""What a worker needs of AWS: queues, a table and a log group."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from local.cloud import EmbeddedCloud
from local.environment import REGION

BATCH = 10  # SendMessageBatch takes no more
EMPTY_SECONDS = 30.0
VISIBILITY_SECONDS = 120


class Stage:
    def __init__(self, cloud: EmbeddedCloud) -> None:
        self.cloud = cloud
        self._sqs = cloud.client("sqs")
        self._dead_letter_queue_url = self.make_queue()
        self._make_table("jobs", "job_id")
        self._make_table("heartbeats", "sender")
        cloud.client("logs").create_log_group(logGroupName="/workers")

    def make_queue(self) -> str:
        """The URL. Each consumer has a queue of its own: its last long poll may still be open."""
        name, attributes = (
            f"jobs-{uuid.uuid4().hex}",
            {"VisibilityTimeout": str(VISIBILITY_SECONDS)},
        )
        return str(self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def fill(self, queue_url: str, count: int) -> None:
        """Send `count` jobs that nobody has done yet."""
        ids = [uuid.uuid4().hex for _ in range(count)]
        for start in range(0, count, BATCH):
            self._send(queue_url, ids[start : start + BATCH])

    def until_empty(self, queue_url: str) -> float:
        """When the queue had no message left, in epoch seconds; none is in flight either."""
        deadline = time.time() + EMPTY_SECONDS
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while True:
            answer = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
            moment = time.time()
            if all(answer["Attributes"][name] == "0" for name in names):
                return moment
            if moment > deadline:
                raise TimeoutError(f"the queue does not empty: {answer['Attributes']}")
            time.sleep(0.01)

    def worker_settings(self, queue_url: str, slots: int) -> dict[str, Any]:
        """What the stack writes into the worker's SSM parameter."""
        return {
            "queue_url": queue_url,
            "dead_letter_queue_url": self._dead_letter_queue_url,
            "jobs_table": "jobs",
            "heartbeats_table": "heartbeats",
            "bucket": "none",
            "group_name": "none",
            "log_group": "/workers",
            "region": REGION,
            "layers": {"pilotlight": "", "jobs": ""},
            "template_version": "1",
            "heartbeat_seconds": 60,
            "visibility_timeout_seconds": VISIBILITY_SECONDS,
            "job_timeout_seconds": 60,
            "idle_seconds": 3600,
            "watch_seconds": 3,
            "drain_seconds": 5,
            "jobs_per_instance": slots,
            "max_attempts": 3,
            "max_receive_count": 20,
            "job_memory_mib": 0,
            "device": "cpu",
        }

    def _make_table(self, name: str, key: str) -> None:
        self.cloud.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def _send(self, queue_url: str, ids: Sequence[str]) -> None:
        entries = [
            {"Id": str(n), "MessageBody": json.dumps({"job_id": job_id, "payload": None})}
            for n, job_id in enumerate(ids)
        ]
        self._sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
