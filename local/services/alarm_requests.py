"""PutMetricAlarm: what it accepts, and the alarm that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from local.services.alarm_messages import queries_of
from local.services.alarm_rules import COMPARISON_OPERATORS, AlarmRule
from local.services.metric_math import MetricMathError
from local.services.metric_queries import check_queries, returned
from local.services.metric_samples import percentage

_SUB_MINUTE_PERIODS = (10, 20, 30)
_TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_COPIED = (
    *("AlarmName", "AlarmDescription", "MetricName", "Namespace", "Statistic", "ExtendedStatistic"),
    *("Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator"),
    *("TreatMissingData", "Unit", "Metrics", "EvaluateLowSampleCountPercentile"),
)
_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")


@cache
def _request_shape() -> Shape | None:
    model = ServiceModel(Loader().load_service_model("cloudwatch", "service-2"))
    return model.operation_model("PutMetricAlarm").input_shape


class AlarmRequestError(Exception):
    """PutMetricAlarm refuses the request as a ValidationError; the message is for the caller."""


def alarm_configuration(request: Mapping[str, Any]) -> dict[str, Any]:
    """The MetricAlarm members that a request sets; raises AlarmRequestError."""
    alarm = {name: request[name] for name in _COPIED if request.get(name) is not None}
    alarm |= {name: list(request.get(name) or []) for name in _LISTS}
    alarm["ActionsEnabled"] = request.get("ActionsEnabled", True)
    alarm.setdefault("TreatMissingData", "missing")
    if not alarm.get("Metrics"):
        alarm["Dimensions"] = list(request.get("Dimensions") or [])
    _check_threshold(alarm)
    _check_metrics(alarm)
    return alarm


def typed_alarm(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request whose numbers and booleans are text (template, form) as the API's types."""
    alarm: dict[str, Any] = _typed(_request_shape(), request)
    return alarm


def rule_of(alarm: Mapping[str, Any]) -> AlarmRule:
    """The rule by which an accepted alarm is evaluated."""
    return AlarmRule(
        comparison_operator=alarm["ComparisonOperator"],
        threshold=float(alarm["Threshold"]),
        evaluation_periods=int(alarm["EvaluationPeriods"]),
        datapoints_to_alarm=int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]),
        treat_missing_data=alarm["TreatMissingData"],
    )


def _check_threshold(alarm: Mapping[str, Any]) -> None:
    for name in ("AlarmName", "EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if name not in alarm:
            raise AlarmRequestError(f"The parameter {name} is required.")
    if alarm["ComparisonOperator"] not in COMPARISON_OPERATORS:
        raise AlarmRequestError(
            f"ComparisonOperator {alarm['ComparisonOperator']} is not served here: no anomaly "
            f"detection. Use one of {', '.join(sorted(COMPARISON_OPERATORS))}."
        )
    if alarm["TreatMissingData"] not in _TREATMENTS:
        raise AlarmRequestError(f"TreatMissingData must be one of {', '.join(_TREATMENTS)}.")
    datapoints, periods = alarm.get("DatapointsToAlarm", 1), alarm["EvaluationPeriods"]
    if not 1 <= datapoints <= periods:
        raise AlarmRequestError(
            f"DatapointsToAlarm {datapoints} must lie between 1 and EvaluationPeriods {periods}."
        )


def _check_metrics(alarm: Mapping[str, Any]) -> None:
    if bool(alarm.get("Metrics")) == bool(alarm.get("MetricName")):
        raise AlarmRequestError("Specify either MetricName or Metrics, and not both.")
    if alarm.get("MetricName"):
        for name in ("Namespace", "Period"):
            if name not in alarm:
                raise AlarmRequestError(f"The parameter {name} is required with MetricName.")
        if ("Statistic" in alarm) == ("ExtendedStatistic" in alarm):
            raise AlarmRequestError("Specify either Statistic or ExtendedStatistic, and not both.")
    try:
        check_queries(queries_of(alarm))
        returned(queries_of(alarm))
    except MetricMathError as error:
        raise AlarmRequestError(f"Metrics: {error}") from error
    for query in queries_of(alarm):
        if query.get("MetricStat"):
            _check_metric_stat(query["MetricStat"])


def _check_metric_stat(stat: Mapping[str, Any]) -> None:
    period = int(stat["Period"])
    if period not in _SUB_MINUTE_PERIODS and (period < 60 or period % 60):
        raise AlarmRequestError(f"Period {period} must be 10, 20, 30 or a multiple of 60.")
    if stat["Stat"] in _STATISTICS:
        return
    try:
        percentage(stat["Stat"])
    except ValueError as error:
        raise AlarmRequestError(str(error)) from error


def _typed(shape: Shape | None, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        members = {name: value[name] for name in shape.members if value.get(name) is not None}
        return {name: _typed(shape.members[name], member) for name, member in members.items()}
    if isinstance(shape, ListShape):
        return [_typed(shape.member, item) for item in value]
    if shape is None or shape.type_name == "string":
        return value
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    return int(value) if shape.type_name in ("integer", "long") else float(value)
