"""What SQS tells CloudWatch each minute about a queue, and when it does not.

SQS developer guide, "Monitoring Amazon SQS queues using CloudWatch": one-minute intervals, active
queues only; a queue is active for six hours after it held a message or any action accessed it; the
first metrics of one that wakes up may be late by up to 15 minutes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.services.measurements import Measurement

IDLE_SECONDS = 6 * 3600.0
LONGEST_WAKE_SECONDS = 15 * 60.0
_POISON_RECEIVES = 3  # from this receive on a message no longer counts for the oldest age


@dataclass(slots=True)
class _Queue:
    last_access: float
    publishes_from: float
    counts: Counter[str] = field(default_factory=Counter)


class QueueActivity:
    """Which queues are active, and what was done to each since its last minute.

    `idle_seconds` and `longest_wake_seconds` are real seconds; `draw` gives numbers in [0, 1).
    """

    def __init__(
        self, idle_seconds: float, longest_wake_seconds: float, draw: Callable[[], float]
    ) -> None:
        self._idle_seconds = idle_seconds
        self._longest_wake_seconds = longest_wake_seconds
        self._draw = draw
        self._queues: dict[str, _Queue] = {}
        self._lock = threading.Lock()

    def touch(self, queue_name: str, now: float, counts: Mapping[str, float] | None = None) -> None:
        """An action accesses the queue. `counts`: metric names with what the action adds to them.

        A new queue is active at once; one that slept publishes again after a while.
        """
        with self._lock:
            queue = self._queues.get(queue_name)
            if queue is None:
                queue = self._queues[queue_name] = _Queue(now, now)
            elif now - queue.last_access > self._idle_seconds:
                queue.publishes_from = now + self._draw() * self._longest_wake_seconds
            queue.last_access = max(queue.last_access, now)
            queue.counts.update(counts or {})

    def forget(self, queue_name: str) -> None:
        """The queue was deleted."""
        with self._lock:
            self._queues.pop(queue_name, None)

    def taken_counts(self, queue_name: str, now: float) -> Counter[str] | None:
        """What was counted since the last call; None while the queue does not publish."""
        with self._lock:
            queue = self._queues.get(queue_name)
            if queue is None or now - queue.last_access > self._idle_seconds:
                return None
            if now < queue.publishes_from:
                return None
            taken, queue.counts = queue.counts, Counter()
            return taken


def queue_measurements(
    queue_name: str,
    depths: Mapping[str, int],
    messages: Sequence[Mapping[str, Any]],
    counts: Mapping[str, float],
    now: float,
) -> list[Measurement]:
    """A queue's minute: `depths` by metric name, `messages` with sent_at and receive_count."""
    counted = ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted")
    values = dict(depths) | {name: counts.get(name, 0.0) for name in counted}
    values["NumberOfEmptyReceives"] = counts.get("NumberOfEmptyReceives", 0.0)
    measured = [_measurement(queue_name, name, value, "Count") for name, value in values.items()]
    age = _oldest_age_seconds(messages, now)
    return [*measured, _measurement(queue_name, "ApproximateAgeOfOldestMessage", age, "Seconds")]


def _measurement(queue_name: str, name: str, value: float, unit: str) -> Measurement:
    return Measurement("AWS/SQS", name, {"QueueName": queue_name}, float(value), unit)


def _oldest_age_seconds(messages: Sequence[Mapping[str, Any]], now: float) -> float:
    sent = [m["sent_at"] for m in messages if m.get("receive_count", 0) < _POISON_RECEIVES]
    return max(0.0, now - min(sent)) if sent else 0.0
