"""CloudWatch: metrics that services publish each minute, alarms as AWS evaluates them.

ministack 1.5.33 publishes nothing for SQS, evaluates an alarm only when somebody puts data, without
dimensions, M of N or missing data, drops Metrics, and tells nobody but SNS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from local.context import CloudContext
from local.seams.clocks import started_clock
from local.seams.cloudformation_alarms import provision_alarms
from local.seams.cloudwatch_actions import AlarmActions
from local.seams.cloudwatch_alarms import (
    AlarmEvaluation,
    forget_old_reason_data,
    put_alarm,
    stop_evaluating_on_put,
)
from local.seams.cloudwatch_reads import MetricReads
from local.seams.cloudwatch_sources import publish_minute, read_embedded_metrics, watch_queues
from local.seams.cloudwatch_store import keep_two_weeks
from local.services.alarm_requests import AlarmRequestError, typed_alarm
from local.services.autoscaling_clock import WallClock
from local.services.form_requests import nested
from local.services.metric_math import MetricMathError
from local.services.metric_time import HIGH_RESOLUTION_SECONDS, MINUTE_SECONDS, MetricTime

# Alarms look at a minute this long after its end, when its metrics are in. AWS publishes no figure.
EVALUATION_LAG_SECONDS = 10.0

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]


def install(context: CloudContext) -> None:
    """Publish metrics, evaluate alarms and act on them, on a thread of our own."""
    from ministack.services import cloudwatch

    metric_time = MetricTime(context.speed)
    actions = AlarmActions(context)
    cloudwatch._dispatch_alarm_actions = actions.changed
    stop_evaluating_on_put()
    forget_old_reason_data()
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
    clock = started_clock(context, "cloudwatch")
    run_each_minute(clock, metric_time, AlarmEvaluation(metric_time, actions))


def run_each_minute(clock: WallClock, metric_time: MetricTime, alarms: AlarmEvaluation) -> None:
    """Publish at the end of each minute and evaluate soon after; high resolution every 10 s."""
    lag = metric_time.real_seconds(EVALUATION_LAG_SECONDS)

    def minute(boundary: float) -> None:
        clock.call_at(boundary + lag, alarms.evaluate_standard, boundary)
        publish_minute(boundary, metric_time.real_seconds(MINUTE_SECONDS))

    repeat(clock, metric_time, MINUTE_SECONDS, minute)
    repeat(clock, metric_time, HIGH_RESOLUTION_SECONDS, alarms.evaluate_high_resolution)


def repeat(
    clock: WallClock,
    metric_time: MetricTime,
    interval_seconds: float,
    call: Callable[[float], None],
) -> None:
    """Call with the end of each interval of CloudWatch's time; none is left out when late."""
    real = metric_time.real_seconds(interval_seconds)

    def tick(boundary: float) -> None:
        clock.call_at(boundary + real, tick, boundary + real)
        call(boundary)

    first = metric_time.last_boundary(clock.now(), interval_seconds) + real
    clock.call_at(first, tick, first)


def answer_operations(operations: Mapping[str, Operation]) -> None:
    """Stand before stock handle_request for CBOR and JSON, which SDKs since 2025 speak.

    Of the older Query protocol only PutMetricAlarm is ours; the rest stays stock.
    """
    from ministack.services import cloudwatch

    stock = cloudwatch.handle_request

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
    ) -> Any:
        kind = headers.get("content-type", "")
        if "cbor" in kind:
            operation = operations.get(path.rpartition("/operation/")[2])
            if operation:
                return _respond(operation, body, is_cbor=True)
        elif "json" in kind:
            operation = operations.get(headers.get("x-amz-target", "").rpartition(".")[2])
            if operation:
                return _respond(operation, body, is_cbor=False)
        else:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            if form.get("Action") == "PutMetricAlarm":
                return _put_alarm_form(form)
        return await stock(method, path, headers, body, query)

    cloudwatch.handle_request = handle_request


def _put_alarm_form(form: Mapping[str, str]) -> Any:
    from ministack.services import cloudwatch

    try:
        put_alarm(typed_alarm(nested(form)))
    except AlarmRequestError as error:
        return cloudwatch._error("ValidationError", str(error), 400)
    return cloudwatch._xml(200, "PutMetricAlarmResponse", "")


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
