"""AWS::CloudWatch::Alarm with Metrics, which stock ministack 1.5.33 refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.seams.cloudwatch_alarms import alarm_record
from local.services.alarm_requests import AlarmRequestError, typed_alarm


def provision_alarms() -> None:
    """Have stacks make the same alarms as PutMetricAlarm makes; stock still names and tags them."""
    from ministack.services.cloudformation import provisioners

    def record(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return alarm_record(typed_alarm(properties) | {"AlarmName": name})
        except AlarmRequestError as error:
            raise ValueError(f"AWS::CloudWatch::Alarm {name}: {error}") from error

    provisioners._cw_metric_alarm_record = record
