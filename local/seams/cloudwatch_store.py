"""ministack's metric store, read and written as samples."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from local.services.measurements import Measurement
from local.services.metric_samples import Sample
from local.services.metric_time import MetricTime


def store(measurement: Measurement, timestamp: float) -> None:
    """Add one value; stock `record_metric` knows no time but now."""
    from ministack.services import cloudwatch

    dimensions = dict(measurement.dimensions)
    key = (measurement.namespace, measurement.name, cloudwatch._dims_key(dimensions))
    cloudwatch._metric_bucket(key).append(
        {
            "Timestamp": timestamp,
            "Value": measurement.value,
            "Unit": measurement.unit,
            "Dimensions": dimensions,
        }
    )


def samples_of(stat: Mapping[str, Any]) -> Sequence[Sample]:
    """What was published of a MetricStat's metric: exactly its dimensions, and its Unit if any."""
    from ministack.services import cloudwatch

    metric = stat["Metric"]
    dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions") or []}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    unit = stat.get("Unit")
    points = list(cloudwatch._metrics.get(key) or [])
    return [_sample(p) for p in points if unit is None or p.get("Unit") == unit]


def _sample(point: Mapping[str, Any]) -> Sample:
    from ministack.services import cloudwatch

    count, total, minimum, maximum = cloudwatch._point_stats(point)
    return Sample(point["Timestamp"], count, total, minimum, maximum)


def keep_two_weeks(metric_time: MetricTime) -> None:
    """Stock rebuilds every list of points in each request, and loses what is stored meanwhile."""
    from ministack.services import cloudwatch

    kept_seconds = metric_time.real_seconds(cloudwatch.TWO_WEEKS_SECONDS)

    def evict() -> None:
        oldest = time.time() - kept_seconds
        for points in cloudwatch._metrics.values():
            while points and points[0]["Timestamp"] < oldest:
                del points[0]

    cloudwatch._evict_old_metrics = evict
