"""NumberOfMessagesSent as CloudWatch shows it: whole minutes, one of them late."""

from __future__ import annotations

from collections import deque

from local.group.clock import Schedule

MINUTE_SECONDS = 60.0
LATE_SECONDS = 60.0
"""A minute's number is there at the end of the next one; SQS publishes each minute, a minute and
more after (SQS guide, sqs-available-cloudwatch-metrics, gives no bound)."""
KEPT_MINUTES = 180


class ArrivalMetric:
    """Counts by minute, oldest first; `counts()` is the same object until the next minute."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._minute = 0
        self._current = 0
        self._done: deque[int] = deque(maxlen=KEPT_MINUTES)
        self._shown: tuple[int, ...] = ()
        self._shown_at = -1

    def count(self) -> None:
        """A message was sent."""
        self._turn()
        self._current += 1

    def counts(self) -> tuple[int, ...]:
        """The minutes that are published by now."""
        self._turn()
        if self._shown_at != self._minute:
            self._shown_at = self._minute
            late = int(LATE_SECONDS // MINUTE_SECONDS)
            self._shown = tuple(self._done)[: len(self._done) - late]
        return self._shown

    def next_change_at(self) -> float:
        return (self._minute_now() + 1) * MINUTE_SECONDS

    def _minute_now(self) -> int:
        return int(self._schedule.now() // MINUTE_SECONDS)

    def _turn(self) -> None:
        now = self._minute_now()
        if now - self._minute > KEPT_MINUTES:
            self._done.extend([self._current] + [0] * KEPT_MINUTES)
            self._minute, self._current = now, 0
        while self._minute < now:
            self._done.append(self._current)
            self._minute, self._current = self._minute + 1, 0
