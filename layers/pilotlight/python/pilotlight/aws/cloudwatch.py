"""CloudWatch: what was sent to the job queue in the last hours, and how much work there was.

GetMetricData costs USD 0.01 per 1,000 metrics asked for, whatever the time range (CloudWatch
pricing, 2026), so each answer is kept in the warm function as long as it is worth having.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pilotlight.aws.calls import named_errors
from pilotlight.scaling.forecast import COMPANY_MINUTES, ArrivalHistory

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

Series = Mapping[datetime, float]

MINUTE_SECONDS = 60
SENT_SECONDS = 60.0  # SQS reports once a minute
QUIET_SENT_SECONDS = 300.0  # after an hour without a job
SERVICE_SECONDS = 900.0  # a mean over an hour changes slowly
LEAST_ENDED = 5  # fewer jobs do not tell how long one takes
HOUR_SECONDS = 3600
PEAK_SECONDS = 300
PEAK_DAYS = 7


class Kept:
    """An answer, and until when it is good enough. `now` gives seconds."""

    def __init__(self) -> None:
        self.value: Any = None
        self._until = float("-inf")

    def is_stale(self, now: float) -> bool:
        return now >= self._until

    def keep(self, value: Any, until: float) -> Any:
        self.value, self._until = value, until
        return value


class JobsQueueMetrics:
    """Implements scaling's HistoryReader and PeaksReader."""

    def __init__(self, client: "CloudWatchClient", queue_url: str, now: Callable[[], float]):
        self._client = client
        self._queue_name = queue_url.rsplit("/", 1)[-1]
        self._now = now
        self._sent = Kept()
        self._service = Kept()
        self._peaks = Kept()

    def history(self) -> ArrivalHistory | None:
        """None when SQS has reported nothing (it does not for a queue unused for six hours)."""
        per_minute = self._per_minute()
        if not per_minute:
            return None
        return ArrivalHistory(per_minute=per_minute, service_seconds=self._service_seconds())

    def peaks(self) -> tuple[int, ...]:
        """Most jobs waiting and running, for each five minutes of the last week that has any."""
        now = self._now()
        if not self._peaks.is_stale(now):
            return self._peaks.value  # type: ignore[no-any-return]
        period = PEAK_SECONDS
        seconds = PEAK_DAYS * 24 * HOUR_SECONDS
        visible = self._read("ApproximateNumberOfMessagesVisible", "Maximum", period, seconds)
        busy = self._read("ApproximateNumberOfMessagesNotVisible", "Maximum", period, seconds)
        peaks = tuple(
            int(visible.get(moment, 0) + busy.get(moment, 0))
            for moment in sorted({*visible, *busy})
        )
        return self._peaks.keep(peaks, now + HOUR_SECONDS)  # type: ignore[no-any-return]

    def _per_minute(self) -> tuple[int, ...]:
        now = self._now()
        if not self._sent.is_stale(now):
            return self._sent.value  # type: ignore[no-any-return]
        seconds = COMPANY_MINUTES * MINUTE_SECONDS
        counts = _counts(self._read("NumberOfMessagesSent", "Sum", MINUTE_SECONDS, seconds))
        is_quiet = not any(counts[-60:])
        until = now + (QUIET_SENT_SECONDS if is_quiet else SENT_SECONDS)
        return self._sent.keep(counts, until)  # type: ignore[no-any-return]

    def _service_seconds(self) -> float | None:
        """Little's law: jobs in flight on average, by the rate at which they end."""
        now = self._now()
        if not self._service.is_stale(now):
            return self._service.value  # type: ignore[no-any-return]
        period = PEAK_SECONDS
        busy = self._read("ApproximateNumberOfMessagesNotVisible", "Average", period, HOUR_SECONDS)
        ended = self._read("NumberOfMessagesDeleted", "Sum", period, HOUR_SECONDS)
        jobs = sum(ended.values())
        seconds = sum(busy.values()) * period / jobs if jobs >= LEAST_ENDED else None
        return self._service.keep(seconds, now + SERVICE_SECONDS)  # type: ignore[no-any-return]

    def _read(self, metric: str, statistic: str, period_seconds: int, seconds: int) -> Series:
        """Full periods only: an end inside of one would show what of it is over."""
        end = self._now() // period_seconds * period_seconds
        pages = self._client.get_paginator("get_metric_data").paginate(
            StartTime=datetime.fromtimestamp(end - seconds, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
            MetricDataQueries=[
                {
                    "Id": "asked",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SQS",
                            "MetricName": metric,
                            "Dimensions": [{"Name": "QueueName", "Value": self._queue_name}],
                        },
                        "Period": period_seconds,
                        "Stat": statistic,
                    },
                }
            ],
        )
        found: dict[datetime, float] = {}
        with named_errors():
            for page in pages:
                for result in page["MetricDataResults"]:
                    found.update(zip(result["Timestamps"], result["Values"], strict=True))
        return found


def _counts(sent: Series) -> tuple[int, ...]:
    """One for each minute from the first reported to the last; minutes without a report have none.

    What is not reported after the last is late, not zero.
    """
    if not sent:
        return ()
    first = min(sent)
    last = int((max(sent) - first).total_seconds() // MINUTE_SECONDS)
    counts = [0] * (last + 1)
    for moment, count in sent.items():
        counts[int((moment - first).total_seconds() // MINUTE_SECONDS)] += int(count)
    return tuple(counts)
