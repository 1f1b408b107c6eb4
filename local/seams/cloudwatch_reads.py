"""GetMetricData and GetMetricStatistics in CloudWatch's own time.

Stock knows no expressions and no shorter minute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.seams.cloudwatch_store import samples_of
from local.services.metric_queries import compute_queries, period_seconds
from local.services.metric_samples import Grid, Series, sorted_into, statistic
from local.services.metric_time import MetricTime


class MetricReads:
    def __init__(self, metric_time: MetricTime) -> None:
        self._metric_time = metric_time

    def get_metric_data(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Newest first unless ScanBy says otherwise; raises MetricMathError."""
        queries = request["MetricDataQueries"]
        grid = self._grid(request, period_seconds(queries))
        values = compute_queries(queries, samples_of, grid)
        is_ascending = request.get("ScanBy") == "TimestampAscending"
        results = [
            _result(query, values[query["Id"]], is_ascending)
            for query in queries
            if query.get("ReturnData", True)
        ]
        return {"MetricDataResults": results, "Messages": []}

    def get_metric_statistics(self, request: Mapping[str, Any]) -> dict[str, Any]:
        metric = {name: request.get(name) for name in ("Namespace", "MetricName", "Dimensions")}
        grid = self._grid(request, int(request["Period"]))
        samples = samples_of({"Metric": metric, "Unit": request.get("Unit")})
        datapoints = []
        for timestamp, of_period in sorted_into(grid, samples).items():
            point: dict[str, Any] = {"Timestamp": _moment(timestamp)}
            point |= {s: statistic(of_period, s) for s in request.get("Statistics") or []}
            extended = request.get("ExtendedStatistics") or []
            if extended:
                point["ExtendedStatistics"] = {s: statistic(of_period, s) for s in extended}
            datapoints.append(point)
        return {"Label": request["MetricName"], "Datapoints": datapoints}

    def _grid(self, request: Mapping[str, Any], period: int) -> Grid:
        real = self._metric_time.real_seconds(period)
        start = self._metric_time.last_boundary(_epoch(request["StartTime"]), period)
        return Grid(start, real, max(0, math.ceil((_epoch(request["EndTime"]) - start) / real)))


def _result(query: Mapping[str, Any], values: Series, is_ascending: bool) -> dict[str, Any]:
    times = sorted(values, reverse=not is_ascending)
    stat = query.get("MetricStat")
    default_label = stat["Metric"]["MetricName"] if stat else query["Id"]
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or default_label,
        "Timestamps": [_moment(time) for time in times],
        "Values": [values[time] for time in times],
        "StatusCode": "Complete",
    }


def _epoch(value: Any) -> float:
    """CBOR brings datetimes, JSON epoch seconds."""
    return float(value.timestamp()) if isinstance(value, datetime) else float(value)


def _moment(epoch_seconds: float) -> datetime:
    return datetime.fromtimestamp(epoch_seconds, UTC)
