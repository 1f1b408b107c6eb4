"""MetricDataQueries: metrics and expressions on them, as GetMetricData and alarms use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.services.metric_math import MetricMathError, compute, names_in
from local.services.metric_samples import Grid, Series, series

Query = Mapping[str, Any]
SamplesOf = Callable[[Mapping[str, Any]], Sequence[Any]]
"""The samples of a `MetricStat`."""


def check_queries(queries: Sequence[Query]) -> None:
    """Raise MetricMathError when an expression cannot be computed from its siblings."""
    grid = Grid(start=0.0, period_seconds=60.0, periods=1)
    compute_queries(queries, lambda _: [], grid)


def compute_queries(
    queries: Sequence[Query], samples_of: SamplesOf, grid: Grid
) -> dict[str, Series]:
    """Every query's series by its Id; raises MetricMathError."""
    metrics = {q["Id"]: q["MetricStat"] for q in queries if q.get("MetricStat")}
    done: dict[str, Series] = {
        query_id: series(grid, samples_of(stat), stat["Stat"]) for query_id, stat in metrics.items()
    }
    open_queries = {q["Id"]: q["Expression"] for q in queries if q.get("Expression")}
    while open_queries:
        ready = {i: e for i, e in open_queries.items() if names_in(e) <= set(done)}
        if not ready:
            raise MetricMathError(
                f"{', '.join(open_queries)}: an expression uses an id that is not there, or itself"
            )
        for query_id, expression in ready.items():
            done[query_id] = compute(expression, done, list(metrics), grid.times())
            del open_queries[query_id]
    return done


def period_seconds(queries: Sequence[Query]) -> int:
    """The period of an alarm on `queries`: the longest of its metrics, in CloudWatch's seconds."""
    periods = [q["MetricStat"]["Period"] for q in queries if q.get("MetricStat")]
    return int(max(periods, default=60))


def returned(queries: Sequence[Query]) -> Query:
    """The one query whose data an alarm watches; raises MetricMathError when it is not one."""
    found = [q for q in queries if q.get("ReturnData", True)]
    if len(found) != 1:
        raise MetricMathError("exactly one of Metrics must have ReturnData true")
    return found[0]
