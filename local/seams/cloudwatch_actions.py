"""What an alarm does when its state changes: functions, topics, scaling policies, an event."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.context import CloudContext
from local.group.errors import AutoScalingError
from local.seams.autoscaling import execute_policy
from local.seams.eventbridge import emit
from local.seams.permissions import in_account, service_may_invoke
from local.services.alarm_messages import (
    DETAIL_TYPE,
    INITIAL_REASON,
    SOURCE,
    AlarmState,
    event_detail,
    lambda_payload,
)

LAMBDA_PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"
ACTIONS_OF_STATE = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
_log = logging.getLogger(__name__)


class ActionError(Exception):
    """An action could not be done; the message goes to the alarm's history."""


class AlarmActions:
    """Told of each change of state; remembers the last one, which messages carry along."""

    def __init__(self, context: CloudContext) -> None:
        from ministack.services import cloudwatch

        self._context = context
        self._last_told: dict[str, AlarmState] = {}
        self._publish_to_sns = cloudwatch._dispatch_alarm_actions

    def changed(
        self, alarm: Mapping[str, Any], old_state: str, new_state: str, reason: str
    ) -> None:
        """For stock `_dispatch_alarm_actions`, which knows SNS only and sends no event."""
        from ministack.core.concurrency import spawn_background

        now = time.time()
        previous = self._last_told.get(alarm["AlarmArn"])
        if previous is None or previous.value != old_state:
            previous = AlarmState(old_state, INITIAL_REASON, now)
        state = AlarmState(new_state, reason, now, alarm.get("StateReasonData"))
        self._last_told[alarm["AlarmArn"]] = state
        emit(SOURCE, DETAIL_TYPE, event_detail(alarm, state, previous), [alarm["AlarmArn"]])
        for action in _enabled_actions(alarm, new_state):
            spawn_background(self._act, alarm, action, state, previous, thread_name="alarm-action")

    def repeat(self, alarm: Mapping[str, Any], reason: str, reason_data: str) -> None:
        """The state lasts: scaling policies are executed again, each minute, and nothing else.

        CloudWatch user guide, "Alarm actions".
        """
        from ministack.core.concurrency import spawn_background

        state = AlarmState(alarm["StateValue"], reason, time.time(), reason_data)
        for action in _enabled_actions(alarm, state.value):
            if _service(action) == "autoscaling":
                spawn_background(self._act, alarm, action, state, state, thread_name="alarm-action")

    def _act(
        self, alarm: Mapping[str, Any], action: str, state: AlarmState, previous: AlarmState
    ) -> None:
        in_account(self._context, self._act_in_account, alarm, action, state, previous)

    def _act_in_account(
        self, alarm: Mapping[str, Any], action: str, state: AlarmState, previous: AlarmState
    ) -> None:
        perform: dict[str, Callable[[], None]] = {
            "lambda": lambda: self._invoke(alarm, action, state, previous),
            "sns": lambda: self._publish(alarm, action, state, previous),
            "autoscaling": lambda: _execute_policy(alarm, action, state),
        }
        try:
            if _service(action) not in perform:
                raise ActionError(f"actions of {_service(action)} are not served here")
            perform[_service(action)]()
        except ActionError as error:
            _log.warning("alarm %s: %s: %s", alarm["AlarmName"], action, error)
            _record(alarm, f"Failed to execute action {action}. Received error: {error}", action)
        else:
            _record(alarm, f"Successfully executed action {action}", action)

    def _invoke(
        self, alarm: Mapping[str, Any], function_arn: str, state: AlarmState, previous: AlarmState
    ) -> None:
        from ministack.services import lambda_svc

        function, config, _ = lambda_svc._get_func_record_for_ref(function_arn)
        if not function or not config:
            raise ActionError("Function not found")
        if not service_may_invoke(function_arn, LAMBDA_PRINCIPAL, alarm["AlarmArn"]):
            raise ActionError(
                f"CloudWatch Alarms is not authorized to perform: lambda:InvokeFunction on the "
                f"resource because no resource-based policy allows {LAMBDA_PRINCIPAL}"
            )
        payload = lambda_payload(
            alarm, state, previous, self._context.account_id, self._context.region
        )
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, payload)

    def _publish(
        self, alarm: Mapping[str, Any], topic_arn: str, state: AlarmState, previous: AlarmState
    ) -> None:
        from ministack.services import sns

        if not sns.topic_policy_allows(
            topic_arn, "cloudwatch.amazonaws.com", alarm["AlarmArn"], self._context.account_id
        ):
            raise ActionError("CloudWatch Alarms is not authorized to perform: SNS:Publish")
        only_this = dict(alarm) | {ACTIONS_OF_STATE[state.value]: [topic_arn]}
        self._publish_to_sns(only_this, previous.value, state.value, state.reason)


def _enabled_actions(alarm: Mapping[str, Any], state: str) -> Sequence[str]:
    enabled = alarm.get("ActionsEnabled", True) and state in ACTIONS_OF_STATE
    return list(alarm.get(ACTIONS_OF_STATE[state]) or []) if enabled else []


def _execute_policy(alarm: Mapping[str, Any], policy_arn: str, state: AlarmState) -> None:
    recent = json.loads(state.reason_data or "{}").get("recentDatapoints") or [alarm["Threshold"]]
    try:
        execute_policy(policy_arn, alarm["AlarmName"], recent[-1], alarm["Threshold"])
    except AutoScalingError as error:
        raise ActionError(str(error)) from error


def _record(alarm: Mapping[str, Any], summary: str, action: str) -> None:
    from ministack.services import cloudwatch

    kind = "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm"
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": kind,
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": summary,
            "HistoryData": json.dumps({"actionState": summary.split()[0], "actionArn": action}),
        }
    )


def _service(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 2 else arn
