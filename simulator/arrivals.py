"""What CloudWatch shows of a queue's traffic: whole minutes, one of them late."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from local.group.clock import Schedule
from pilotlight.scaling.history import HISTORY_MINUTES, ArrivalHistory
from pilotlight.scaling.likeness import Moments

MINUTE_SECONDS = 60.0
LATE_MINUTES = 1
"""A minute's numbers are there at the end of the next one: SQS publishes each minute, a while after
it (SQS guide, sqs-available-cloudwatch-metrics, gives no bound)."""
ENOUGH_JOBS = 10
"""That have ended, before their mean time is taken for an estimate."""


class Minute(NamedTuple):
    """Jobs sent, jobs that ended, and the seconds that those worked."""

    sent: int = 0
    ended: int = 0
    worked_seconds: float = 0.0


EMPTY = Minute()


class ArrivalMetric:
    """Counts by minute, and shows those that are published."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._minute = 0
        self._minute_ends_at = MINUTE_SECONDS
        self._sent = self._ended = 0
        self._worked_seconds = 0.0
        self._late: deque[Minute] = deque()
        self._published: deque[Minute] = deque()
        self._published_sent: deque[int] = deque(maxlen=HISTORY_MINUTES)
        self._moments = Moments(HISTORY_MINUTES)
        self._published_ended = 0
        self._published_seconds = 0.0
        self._shown: ArrivalHistory | None = None

    def sent(self) -> None:
        if self._schedule.now() >= self._minute_ends_at:
            self._turn()
        self._sent += 1

    def ended(self, service_seconds: float) -> None:
        if self._schedule.now() >= self._minute_ends_at:
            self._turn()
        self._ended += 1
        self._worked_seconds += service_seconds

    def history(self) -> ArrivalHistory:
        """What is published by now; the same object until the next minute."""
        if self._schedule.now() >= self._minute_ends_at:
            self._turn()
        if self._shown is None:
            self._shown = self._history()
        return self._shown

    @property
    def next_change_at(self) -> float:
        """When there will be another history than the one that was asked for last."""
        return self._minute_ends_at

    def _turn(self) -> None:
        """Close the minutes that have passed."""
        now = int(self._schedule.now() // MINUTE_SECONDS)
        self._close(Minute(self._sent, self._ended, self._worked_seconds))
        for _ in range(min(now - self._minute - 1, HISTORY_MINUTES + LATE_MINUTES)):
            self._close(EMPTY)
        self._minute = now
        self._minute_ends_at = (now + 1) * MINUTE_SECONDS
        self._sent = self._ended = 0
        self._worked_seconds = 0.0
        self._shown = None

    def _close(self, minute: Minute) -> None:
        self._late.append(minute)
        if len(self._late) <= LATE_MINUTES:
            return
        published = self._late.popleft()
        self._published.append(published)
        self._published_sent.append(published.sent)
        self._moments.add(published.sent)
        self._count(published, 1)
        if len(self._published) > HISTORY_MINUTES:
            self._count(self._published.popleft(), -1)

    def _count(self, minute: Minute, sign: int) -> None:
        self._published_ended += sign * minute.ended
        self._published_seconds += sign * minute.worked_seconds

    def _history(self) -> ArrivalHistory:
        known = self._published_ended >= ENOUGH_JOBS
        return ArrivalHistory(
            per_minute=tuple(self._published_sent),
            service_seconds=self._published_seconds / self._published_ended if known else None,
            ended_jobs=self._published_ended if known else None,
            newest_ended_seconds_ago=LATE_MINUTES * int(MINUTE_SECONDS),
            counted_followers=self._moments.followers(),
        )
