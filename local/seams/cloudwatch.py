"""CloudWatch: metrics that services publish each minute, alarms as AWS evaluates them.

ministack 1.5.33 publishes nothing for SQS, evaluates an alarm only when somebody puts data, without
dimensions, M of N or missing data, drops Metrics, and tells nobody but SNS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.context import CloudContext
from local.seams.cloudformation_alarms import provision_alarms
from local.seams.cloudwatch_actions import AlarmActions
from local.seams.cloudwatch_alarms import AlarmEvaluation, put_alarm, stop_evaluating_on_put
from local.seams.cloudwatch_reads import MetricReads
from local.seams.cloudwatch_sources import publish_minute, read_embedded_metrics, watch_queues
from local.seams.cloudwatch_store import keep_two_weeks
from local.seams.permissions import in_account
from local.services.alarm_requests import AlarmRequestError
from local.services.metric_math import MetricMathError
from local.services.metric_time import HIGH_RESOLUTION_SECONDS, MINUTE_SECONDS, MetricTime
from local.services.schedules import WallSchedule

# Alarms look at a minute this long after its end, when its metrics are in. AWS publishes no figure.
EVALUATION_LAG_SECONDS = 10.0

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]


def install(context: CloudContext) -> None:
    """Publish metrics, evaluate alarms and act on them, on a thread that ends with the process."""
    from ministack.services import cloudwatch

    metric_time = MetricTime(context.speed)
    actions = AlarmActions(context)
    cloudwatch._dispatch_alarm_actions = actions.changed
    stop_evaluating_on_put()
    keep_two_weeks(metric_time)
    read_embedded_metrics()
    watch_queues(metric_time)
    provision_alarms()
    reads = MetricReads(metric_time)
    answer_operations(
        {
            "PutMetricAlarm": put_alarm,
            "GetMetricData": reads.get_metric_data,
            "GetMetricStatistics": reads.get_metric_statistics,
        }
    )
    run_each_minute(context, metric_time, AlarmEvaluation(metric_time, actions))


def run_each_minute(
    context: CloudContext, metric_time: MetricTime, alarms: AlarmEvaluation
) -> None:
    """Publish at the end of each minute and evaluate soon after; high resolution every 10 s."""
    schedule = WallSchedule("cloudwatch")
    lag = metric_time.real_seconds(EVALUATION_LAG_SECONDS)

    def minute(boundary: float) -> None:
        schedule.call_at(boundary + lag, in_account, context, alarms.evaluate_standard, boundary)
        in_account(context, publish_minute, boundary, metric_time.real_seconds(MINUTE_SECONDS))

    def ten_seconds(boundary: float) -> None:
        in_account(context, alarms.evaluate_high_resolution, boundary)

    _repeat(schedule, metric_time, MINUTE_SECONDS, minute)
    _repeat(schedule, metric_time, HIGH_RESOLUTION_SECONDS, ten_seconds)


def _repeat(
    schedule: WallSchedule,
    metric_time: MetricTime,
    interval_seconds: float,
    call: Callable[[float], None],
) -> None:
    """Call with the end of each interval of CloudWatch's time; none is left out when late."""
    real = metric_time.real_seconds(interval_seconds)

    def tick(boundary: float) -> None:
        schedule.call_at(boundary + real, tick, boundary + real)
        call(boundary)

    first = metric_time.last_boundary(schedule.now(), interval_seconds) + real
    schedule.call_at(first, tick, first)


def answer_operations(operations: Mapping[str, Operation]) -> None:
    """Stand before stock handle_request for CBOR and JSON, which SDKs since 2025 speak.

    The older Query protocol stays stock: alarms on one metric work by it, Metrics do not.
    """
    from ministack.services import cloudwatch

    stock = cloudwatch.handle_request

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
    ) -> Any:
        is_cbor = "cbor" in headers.get("content-type", "")
        target = headers.get("x-amz-target", "")
        name = path.rpartition("/operation/")[2] if is_cbor else target.rpartition(".")[2]
        operation = operations.get(name)
        if operation is None:
            return await stock(method, path, headers, body, query)
        return _respond(operation, body, is_cbor)

    cloudwatch.handle_request = handle_request


def _respond(operation: Operation, body: bytes, is_cbor: bool) -> Any:
    import cbor2
    from ministack.services import cloudwatch

    request = cbor2.loads(body) if is_cbor else json.loads(body)
    try:
        result = operation(request)
    except (AlarmRequestError, MetricMathError) as error:
        return cloudwatch._error(
            "ValidationError", str(error), 400, use_json=not is_cbor, use_cbor=is_cbor
        )
    if is_cbor:
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        told = cloudwatch._cbor_strip_none(result)
        return 200, headers, cbor2.dumps(told, datetime_as_timestamp=True)
    return 200, {"Content-Type": "application/json"}, json.dumps(result, default=_epoch).encode()


def _epoch(moment: Any) -> float:
    return float(moment.timestamp())
