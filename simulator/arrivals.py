"""What CloudWatch shows of a queue's traffic: whole minutes, one of them late."""

from __future__ import annotations

from collections import deque

from local.group.clock import Schedule
from pilotlight.scaling.forecast import ArrivalHistory

MINUTE_SECONDS = 60.0
LATE_MINUTES = 1
"""A minute's numbers are there at the end of the next one: SQS publishes each minute, a while after
it (SQS guide, sqs-available-cloudwatch-metrics, gives no bound)."""
KEPT_MINUTES = 360
ENOUGH_JOBS = 10
"""That have ended, before their mean time is taken for an estimate."""


class ArrivalMetric:
    """Jobs sent, jobs that ended and their seconds of work, by minute."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._minute = 0
        self._sent = self._ended = 0
        self._worked_seconds = 0.0
        self._past: deque[tuple[int, int, float]] = deque(maxlen=KEPT_MINUTES)
        self._shown = ArrivalHistory(per_minute=())

    def sent(self) -> None:
        self._turn()
        self._sent += 1

    def ended(self, service_seconds: float) -> None:
        self._turn()
        self._ended += 1
        self._worked_seconds += service_seconds

    def history(self) -> ArrivalHistory:
        """What is published by now; the same object until the next minute."""
        self._turn()
        return self._shown

    def next_change_at(self) -> float:
        return (self._schedule.now() // MINUTE_SECONDS + 1) * MINUTE_SECONDS

    def _turn(self) -> None:
        """Close the minutes that have passed."""
        now = int(self._schedule.now() // MINUTE_SECONDS)
        if now <= self._minute:
            return
        self._past.append((self._sent, self._ended, self._worked_seconds))
        empty = min(now - self._minute - 1, KEPT_MINUTES)
        self._past.extend([(0, 0, 0.0)] * empty)
        self._minute = now
        self._sent = self._ended = 0
        self._worked_seconds = 0.0
        self._publish()

    def _publish(self) -> None:
        published = list(self._past)[:-LATE_MINUTES]
        ended = sum(minute[1] for minute in published)
        worked = sum(minute[2] for minute in published)
        self._shown = ArrivalHistory(
            per_minute=tuple(minute[0] for minute in published),
            service_seconds=worked / ended if ended >= ENOUGH_JOBS else None,
        )
