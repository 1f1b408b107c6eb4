"""CloudWatch: what was sent to the job queue in the last hours, and how much work there was.

GetMetricData costs USD 0.01 per 1,000 metrics asked for, whatever the time range (CloudWatch
pricing, 2026), so each answer is kept in the warm function as long as it is worth having.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from pilotlight.aws.calls import named_errors
from pilotlight.scaling.history import HISTORY_MINUTES, ArrivalHistory

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

Answer = TypeVar("Answer")
Series = Mapping[datetime, float]

MINUTE_SECONDS = 60
AGE_STEP_SECONDS = 30  # a history that is as good as the one of the last look is the same
SENT_SECONDS = 60.0  # SQS reports once a minute
QUIET_SENT_SECONDS = 300.0  # after an hour without a job
SERVICE_SECONDS = 900.0  # a mean over an hour changes slowly
LEAST_ENDED = 5  # fewer jobs do not tell how long one takes
HOUR_SECONDS = 3600
PEAK_SECONDS = 300
PEAK_DAYS = 7


class Kept(Generic[Answer]):
    """An answer, asked for again when it is too old. Moments are seconds."""

    def __init__(self) -> None:
        self._kept: tuple[Answer, float] | None = None

    def get(self, now: float, ask: Callable[[], tuple[Answer, float]]) -> Answer:
        """`ask` gives the answer and for how many seconds it is good enough."""
        if self._kept is None or now >= self._kept[1]:
            answer, seconds = ask()
            self._kept = answer, now + seconds
        return self._kept[0]


class Counts(NamedTuple):
    """For each minute from the first reported to the last; when that one ended."""

    per_minute: tuple[int, ...]
    ended_at: float


class Service(NamedTuple):
    """How long a job works on average, by so many that ended."""

    mean_seconds: float
    jobs: int


class JobsQueueMetrics:
    """Implements scaling's HistoryReader and PeaksReader."""

    def __init__(self, client: "CloudWatchClient", queue_url: str, now: Callable[[], float]):
        self._client = client
        self._queue_name = queue_url.rsplit("/", 1)[-1]
        self._now = now
        self._sent = Kept[Counts | None]()
        self._service = Kept[Service | None]()
        self._peaks = Kept[tuple[int, ...]]()

    def history(self) -> ArrivalHistory | None:
        """None when SQS has reported nothing (it does not for a queue unused for six hours)."""
        now = self._now()
        counts = self._sent.get(now, self._ask_sent)
        if counts is None:
            return None
        service = self._service.get(now, self._ask_service)
        return ArrivalHistory(
            per_minute=counts.per_minute,
            service_seconds=service.mean_seconds if service else None,
            ended_jobs=service.jobs if service else None,
            newest_ended_seconds_ago=_age_seconds(counts, now),
        )

    def peaks(self) -> tuple[int, ...]:
        """Most jobs waiting and running, for each five minutes of the last week that has any."""
        return self._peaks.get(self._now(), self._ask_peaks)

    def sent(self, seconds: int) -> Series:
        """Messages sent in each of the last minutes that SQS reported. Raises TransientError."""
        return self._read("NumberOfMessagesSent", "Sum", MINUTE_SECONDS, seconds)

    def service(self, seconds: int) -> Service | None:
        """Little's law: jobs in flight on average, by the rate at which they end. None when too
        few ended in that time to tell. Raises TransientError."""
        period = PEAK_SECONDS
        busy = self._read("ApproximateNumberOfMessagesNotVisible", "Average", period, seconds)
        ended = self._read("NumberOfMessagesDeleted", "Sum", period, seconds)
        jobs, worked_seconds = int(sum(ended.values())), sum(busy.values()) * period
        if jobs < LEAST_ENDED or not worked_seconds:  # 0: too short to be seen in flight
            return None
        return Service(worked_seconds / jobs, jobs)

    def _ask_sent(self) -> tuple[Counts | None, float]:
        counts = _counts(self.sent(HISTORY_MINUTES * MINUTE_SECONDS))
        is_quiet = counts is None or not any(counts.per_minute[-60:])
        return counts, QUIET_SENT_SECONDS if is_quiet else SENT_SECONDS

    def _ask_service(self) -> tuple[Service | None, float]:
        return self.service(HOUR_SECONDS), SERVICE_SECONDS

    def _ask_peaks(self) -> tuple[tuple[int, ...], float]:
        period, seconds = PEAK_SECONDS, PEAK_DAYS * 24 * HOUR_SECONDS
        visible = self._read("ApproximateNumberOfMessagesVisible", "Maximum", period, seconds)
        busy = self._read("ApproximateNumberOfMessagesNotVisible", "Maximum", period, seconds)
        moments = sorted({*visible, *busy})
        peaks = tuple(int(visible.get(it, 0) + busy.get(it, 0)) for it in moments)
        return peaks, HOUR_SECONDS

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


def _counts(sent: Series) -> Counts | None:
    """Minutes without a report have none. What is not reported after the last is late, not zero."""
    if not sent:
        return None
    first, newest = min(sent), max(sent)
    last = int((newest - first).total_seconds() // MINUTE_SECONDS)
    counts = [0] * (last + 1)
    for moment, count in sent.items():
        counts[int((moment - first).total_seconds() // MINUTE_SECONDS)] += int(count)
    return Counts(tuple(counts), newest.timestamp() + MINUTE_SECONDS)


def _age_seconds(counts: Counts, now: float) -> int:
    seconds = max(0.0, now - counts.ended_at)
    return int(seconds // AGE_STEP_SECONDS) * AGE_STEP_SECONDS
