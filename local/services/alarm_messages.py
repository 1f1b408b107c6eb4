"""What CloudWatch tells others when an alarm changes its state.

Shapes: CloudWatch user guide, "Alarm events and EventBridge" and "Invoke a Lambda function from an
alarm"; the two differ in how the same parts are wrapped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.services.alarm_rules import AlarmRule, Datapoint

INITIAL_REASON = "Unchecked: Initial alarm creation"
SOURCE = "aws.cloudwatch"
DETAIL_TYPE = "CloudWatch Alarm State Change"


@dataclass(frozen=True, slots=True)
class AlarmState:
    """A state with its reason; `reason_data` is JSON text. `since` is in epoch seconds."""

    value: str
    reason: str
    since: float
    reason_data: str | None = None

    def message(self) -> dict[str, str]:
        told = {"value": self.value, "reason": self.reason, "timestamp": iso_offset(self.since)}
        return told | ({"reasonData": self.reason_data} if self.reason_data else {})


def event_detail(
    alarm: Mapping[str, Any], state: AlarmState, previous: AlarmState
) -> dict[str, Any]:
    """`detail` of the EventBridge event."""
    return {
        "alarmName": alarm["AlarmName"],
        "configuration": configuration(alarm),
        "previousState": previous.message(),
        "state": state.message(),
    }


def lambda_payload(
    alarm: Mapping[str, Any],
    state: AlarmState,
    previous: AlarmState,
    account_id: str,
    region: str,
) -> dict[str, Any]:
    """The event of a Lambda function that is an alarm action."""
    return {
        "source": SOURCE,
        "alarmArn": alarm["AlarmArn"],
        "accountId": account_id,
        "time": iso_offset(state.since),
        "region": region,
        "alarmData": {
            "alarmName": alarm["AlarmName"],
            "state": state.message(),
            "previousState": previous.message(),
            "configuration": configuration(alarm),
        },
    }


def configuration(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """Description and metrics of an alarm in lower camel case."""
    described = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    return described | {"metrics": [_query(query) for query in queries_of(alarm)]}


def queries_of(alarm: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The alarm's MetricDataQueries; one is made up for an alarm on a single metric."""
    if alarm.get("Metrics"):
        return list(alarm["Metrics"])
    stat = {
        "Metric": {key: alarm.get(key) for key in ("Namespace", "MetricName", "Dimensions")},
        "Period": alarm["Period"],
        "Stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
    }
    if alarm.get("Unit"):
        stat["Unit"] = alarm["Unit"]
    return [{"Id": "m1", "MetricStat": stat, "ReturnData": True}]


def reason_data(
    alarm: Mapping[str, Any],
    rule: AlarmRule,
    evaluated: Sequence[Datapoint],
    sample_counts: Mapping[float, float],
    query_time: float,
) -> str:
    """StateReasonData: JSON text on the datapoints that decided, newest last as AWS lists them."""
    queries = queries_of(alarm)
    stat = queries[0].get("MetricStat") if len(queries) == 1 else None
    started = {"startDate": iso_offset(evaluated[0].timestamp)} if evaluated else {}
    single = {"statistic": stat["Stat"], "period": stat["Period"]} if stat else {}
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": iso_offset(query_time),
            **started,
            **single,
            "recentDatapoints": [p.value for p in evaluated],
            "threshold": rule.threshold,
            "evaluatedDatapoints": [
                {"timestamp": iso_offset(p.timestamp), "value": p.value}
                | (
                    {"sampleCount": sample_counts[p.timestamp]}
                    if p.timestamp in sample_counts
                    else {}
                )
                for p in reversed(evaluated)
            ],
        }
    )


def iso_offset(epoch_seconds: float) -> str:
    """2024-02-17T11:53:08.431+0000"""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if query.get("Label"):
        told["label"] = query["Label"]
    if query.get("Expression"):
        return told | {"expression": query["Expression"]}
    stat = query["MetricStat"]
    metric = stat["Metric"]
    return told | {
        "metricStat": {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {d["Name"]: d["Value"] for d in metric.get("Dimensions") or []},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    }
