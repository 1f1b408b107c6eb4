"""Alarms each minute: fetch, judge, tell. The rules are in local/services/alarms.py."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from local.seams.cloudwatch_actions import AlarmActions
from local.seams.cloudwatch_store import samples_of
from local.services.alarm_messages import INITIAL_REASON, queries_of, reason_data
from local.services.alarm_requests import alarm_configuration, rule_of
from local.services.alarm_rules import Datapoint
from local.services.alarms import INSUFFICIENT_DATA, Verdict, evaluate
from local.services.metric_queries import compute_queries, period_seconds, returned
from local.services.metric_samples import Grid, series
from local.services.metric_time import MINUTE_SECONDS, MetricTime

_log = logging.getLogger(__name__)


class AlarmEvaluation:
    """Moves alarms between states. `boundary` is the end of the last complete interval."""

    def __init__(self, metric_time: MetricTime, actions: AlarmActions) -> None:
        self._metric_time = metric_time
        self._actions = actions

    def evaluate_standard(self, boundary: float) -> None:
        """Alarms with a Period of a minute or more, once a minute."""
        for alarm in _alarms():
            if period_seconds(queries_of(alarm)) >= MINUTE_SECONDS:
                self._evaluate(alarm, boundary)

    def evaluate_high_resolution(self, boundary: float) -> None:
        """Alarms with a Period below a minute, every ten seconds."""
        for alarm in _alarms():
            if period_seconds(queries_of(alarm)) < MINUTE_SECONDS:
                self._evaluate(alarm, boundary)

    def _evaluate(self, alarm: dict[str, Any], boundary: float) -> None:
        rule, queries = rule_of(alarm), queries_of(alarm)
        period = self._metric_time.real_seconds(period_seconds(queries))
        grid = Grid(boundary - rule.evaluation_range * period, period, rule.evaluation_range)
        values = compute_queries(queries, samples_of, grid)[returned(queries)["Id"]]
        verdict = evaluate(
            rule, [Datapoint(t, values[t]) if t in values else None for t in grid.times()]
        )
        data = _reason_data(alarm, verdict, grid)
        if verdict.state in (None, alarm["StateValue"]):
            self._actions.repeat(alarm, verdict.reason, data)
        else:
            _transition(alarm, verdict, data)


def put_alarm(request: Mapping[str, Any]) -> dict[str, Any]:
    """PutMetricAlarm: an existing alarm keeps its state. Raises AlarmRequestError."""
    from ministack.services import cloudwatch

    alarm = alarm_record(request)
    is_new = alarm["AlarmName"] not in cloudwatch._alarms
    cloudwatch._alarms[alarm["AlarmName"]] = alarm
    if is_new and request.get("Tags"):  # tags of an existing alarm: TagResource
        tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        cloudwatch._resource_tags[alarm["AlarmArn"]] = tags
    _record_configuration(alarm, "created" if is_new else "updated")
    return {}


def alarm_record(request: Mapping[str, Any]) -> dict[str, Any]:
    """What ministack stores of an alarm: its configuration and its state."""
    from ministack.core import responses
    from ministack.services import cloudwatch

    now = time.time()
    configuration = alarm_configuration(request)
    name = configuration["AlarmName"]
    initial = {
        "AlarmArn": f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:"
        f"alarm:{name}",
        "StateValue": INSUFFICIENT_DATA,
        "StateReason": INITIAL_REASON,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
    kept = cloudwatch._alarms.get(name) or initial
    state_names = [*initial, "StateReasonData"]
    state = {key: kept[key] for key in state_names if kept.get(key) is not None}
    return configuration | state | {"AlarmConfigurationUpdatedTimestamp": now}


def forget_old_reason_data() -> None:
    """Stock SetAlarmState keeps the last evaluation's data beside a reason given by hand."""
    from ministack.services import cloudwatch

    stock = cloudwatch._set_alarm_state

    def set_alarm_state(params: Any, data: Any, *protocol: Any) -> Any:
        name = data.get("AlarmName") or cloudwatch._p(params, "AlarmName")
        alarm = cloudwatch._alarms.get(name, {})
        alarm.pop("StateReasonData", None)
        return stock(params, data, *protocol)

    cloudwatch._set_alarm_state = set_alarm_state


def stop_evaluating_on_put() -> None:
    """Stock evaluates an alarm when it or any data is put, and never else."""
    from ministack.services import cloudwatch

    cloudwatch._evaluate_alarm = lambda alarm: None  # noqa: ARG005 - their signature
    cloudwatch._evaluate_all_alarms = lambda: None


def _alarms() -> list[dict[str, Any]]:
    from ministack.services import cloudwatch

    return list(cloudwatch._alarms.values())


def _reason_data(alarm: Mapping[str, Any], verdict: Verdict, grid: Grid) -> str:
    queries = queries_of(alarm)
    stat = queries[0].get("MetricStat") if len(queries) == 1 else None
    counts = series(grid, samples_of(stat), "SampleCount") if stat else {}
    return reason_data(alarm, rule_of(alarm), verdict.evaluated, counts, time.time())


def _transition(alarm: dict[str, Any], verdict: Verdict, data: str) -> None:
    from ministack.services import cloudwatch

    old, now = alarm["StateValue"], time.time()
    alarm |= {
        "StateValue": verdict.state,
        "StateReason": verdict.reason,
        "StateReasonData": data,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
    cloudwatch._record_history(
        alarm["AlarmName"], old, verdict.state, verdict.reason, reason_data=json.loads(data)
    )
    cloudwatch._dispatch_alarm_actions(alarm, old, verdict.state, verdict.reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _record_configuration(alarm: Mapping[str, Any], change: str) -> None:
    from ministack.services import cloudwatch

    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "ConfigurationUpdate",
            "HistorySummary": f'Alarm "{alarm["AlarmName"]}" {change}',
            "HistoryData": json.dumps({"version": "1.0", "type": change.title()}),
        }
    )
