"""CloudWatch: what SQS reports of the jobs queue once a minute, and the alarm on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

from faults.clients import Answer
from faults.queues import Queue
from local.group.clock import Schedule

MINUTE = 60.0
REPORTED_AFTER_SECONDS = 60.0
Series = dict[float, float]
_SUMMARIES: Mapping[str, Callable[[list[float]], float]] = {
    "Sum": math.fsum,
    "Maximum": max,
    "Average": fmean,
}


class QueueMetrics:
    """`delay_seconds` is asked each minute how late the report is; one that never comes is None."""

    def __init__(
        self, schedule: Schedule, queue: Queue, delay_seconds: Callable[[], float | None]
    ) -> None:
        self._schedule = schedule
        self._queue = queue
        self._delay_seconds = delay_seconds
        self._counted = (0, 0)
        self.series: dict[str, Series] = {
            "NumberOfMessagesSent": {},
            "NumberOfMessagesDeleted": {},
            "ApproximateNumberOfMessagesVisible": {},
            "ApproximateNumberOfMessagesNotVisible": {},
        }
        schedule.call_at(schedule.now() + MINUTE, self._report)

    def answers(self) -> Mapping[str, Answer]:
        return {"GetMetricData": self._get}

    def backlog(self) -> float | None:
        """Visible and in flight in the latest minute that has been reported."""
        newest = (self._schedule.now() - REPORTED_AFTER_SECONDS) // MINUTE * MINUTE - MINUTE
        visible = self.series["ApproximateNumberOfMessagesVisible"].get(newest)
        if visible is None:
            return None
        return visible + self.series["ApproximateNumberOfMessagesNotVisible"][newest]

    def _report(self) -> None:
        now = self._schedule.now()
        visible, in_flight, _ = self._queue.counts()
        sent, deleted = self._queue.sent, self._queue.deleted
        values = {
            "NumberOfMessagesSent": sent - self._counted[0],
            "NumberOfMessagesDeleted": deleted - self._counted[1],
            "ApproximateNumberOfMessagesVisible": visible,
            "ApproximateNumberOfMessagesNotVisible": in_flight,
        }
        self._counted = (sent, deleted)
        delay = self._delay_seconds()
        if delay is not None:
            minute = now // MINUTE * MINUTE - MINUTE
            self._schedule.call_at(now + delay, self._show, minute, values)
        self._schedule.call_at(now + MINUTE, self._report)

    def _show(self, minute: float, values: Mapping[str, int]) -> None:
        for name, value in values.items():
            self.series[name][minute] = float(value)

    def _get(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        results = [self._result(query, request) for query in request["MetricDataQueries"]]
        return {"MetricDataResults": results}

    def _result(self, query: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
        start, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
        known_until = self._schedule.now() - REPORTED_AFTER_SECONDS
        stat = query["MetricStat"]
        period: float = stat["Period"]
        periods: dict[float, list[float]] = {}
        for minute, value in self.series[stat["Metric"]["MetricName"]].items():
            if start <= minute < end and minute + MINUTE <= known_until:
                periods.setdefault(minute // period * period, []).append(value)
        summary = _SUMMARIES[stat["Stat"]]
        moments = sorted(periods, reverse=True)
        return {
            "Id": query["Id"],
            "Label": stat["Metric"]["MetricName"],
            "Timestamps": moments,
            "Values": [summary(periods[moment]) for moment in moments],
            "StatusCode": "Complete",
        }


class DepthAlarm:
    """Calls once when the backlog becomes more than nothing; missing data is not breaching."""

    def __init__(self, schedule: Schedule, metrics: QueueMetrics, action: Callable[[], None]):
        self._schedule = schedule
        self._metrics = metrics
        self._action = action
        self._in_alarm = False
        schedule.call_at(schedule.now() + 75.0, self._evaluate)

    def _evaluate(self) -> None:
        breaching = (self._metrics.backlog() or 0.0) > 0
        if breaching and not self._in_alarm:
            self._action()
        self._in_alarm = breaching
        self._schedule.call_at(self._schedule.now() + MINUTE, self._evaluate)
