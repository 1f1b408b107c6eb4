"""What CloudWatch says of the job queue, as arrivals, service time and peaks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from pilotlight.aws.cloudwatch import JobsQueueMetrics
from pilotlight.errors import TransientError
from pilotlight.scaling.history import ArrivalHistory

NOW = datetime(2026, 9, 28, 12, 0, 30, tzinfo=UTC)
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"


class Clock:
    def __init__(self) -> None:
        self.seconds = NOW.timestamp()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloudwatch() -> Any:
    return boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
    )


def answer(values: dict[str, float]) -> dict[str, Any]:
    """Values by time of the day, in UTC."""
    moments = [datetime.fromisoformat(f"2026-09-28 {it}").replace(tzinfo=UTC) for it in values]
    result = {"Id": "asked", "Timestamps": moments, "Values": list(values.values())}
    return {"MetricDataResults": [{**result, "Label": "", "StatusCode": "Complete"}]}


def asked(end: datetime, hours: int) -> dict[str, Any]:
    return {
        "StartTime": end - timedelta(hours=hours),
        "EndTime": end,
        "MetricDataQueries": ANY,
    }


def test_minutes_without_a_report_are_empty_and_those_after_the_last_are_late(
    cloudwatch: Any, clock: Clock
) -> None:
    full_minute = NOW.replace(second=0)
    with Stubber(cloudwatch) as stub:
        stub.add_response(
            "get_metric_data",
            answer({"11:58": 4, "11:54": 2, "11:55": 1}),
            asked(full_minute, 6),
        )
        stub.add_response(
            "get_metric_data", answer({"11:00": 3, "11:05": 5}), asked(full_minute, 1)
        )
        stub.add_response(
            "get_metric_data", answer({"11:00": 10, "11:05": 10}), asked(full_minute, 1)
        )

        history = JobsQueueMetrics(cloudwatch, URL, clock).history()

    # 3 and 5 in flight for five minutes each, 20 ended: 8 x 300 s / 20
    assert history == ArrivalHistory(
        per_minute=(2, 1, 0, 0, 4),
        service_seconds=120.0,
        ended_jobs=20,
        newest_ended_seconds_ago=90,
    )


def test_answers_are_asked_for_once_a_minute_at_most(cloudwatch: Any, clock: Clock) -> None:
    metrics = JobsQueueMetrics(cloudwatch, URL, clock)
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_data", answer({"11:58": 4}))
        stub.add_response("get_metric_data", answer({}))
        stub.add_response("get_metric_data", answer({}))
        first = metrics.history()
        clock.seconds += 59
        again = metrics.history()
        clock.seconds += 1
        stub.add_response("get_metric_data", answer({"11:59": 7}))
        later = metrics.history()
        stub.assert_no_pending_responses()

    assert first == ArrivalHistory(per_minute=(4,), newest_ended_seconds_ago=90)
    assert again == ArrivalHistory(per_minute=(4,), newest_ended_seconds_ago=120)
    assert later == ArrivalHistory(per_minute=(7,), newest_ended_seconds_ago=90)


def test_a_queue_that_nothing_is_reported_of_has_no_history(cloudwatch: Any, clock: Clock) -> None:
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_data", answer({}))

        assert JobsQueueMetrics(cloudwatch, URL, clock).history() is None


def test_jobs_too_short_to_be_seen_in_flight_tell_no_service_time(
    cloudwatch: Any, clock: Clock
) -> None:
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_data", answer({"11:58": 9}))
        stub.add_response("get_metric_data", answer({"11:00": 0}))
        stub.add_response("get_metric_data", answer({"11:00": 9}))

        history = JobsQueueMetrics(cloudwatch, URL, clock).history()

    assert history is not None
    assert history.service_seconds is None


def test_peaks_are_what_waited_and_ran_together(cloudwatch: Any, clock: Clock) -> None:
    with Stubber(cloudwatch) as stub:
        stub.add_response(
            "get_metric_data", answer({"10:05": 3, "10:00": 1}), asked(NOW.replace(second=0), 168)
        )
        stub.add_response(
            "get_metric_data", answer({"10:05": 4}), asked(NOW.replace(second=0), 168)
        )

        assert JobsQueueMetrics(cloudwatch, URL, clock).peaks() == (1, 7)


def test_throttling_is_named(cloudwatch: Any, clock: Clock) -> None:
    with Stubber(cloudwatch) as stub:
        stub.add_client_error("get_metric_data", "Throttling")

        with pytest.raises(TransientError):
            JobsQueueMetrics(cloudwatch, URL, clock).history()
