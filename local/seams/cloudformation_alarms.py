"""AWS::CloudWatch::Alarm with Metrics, which stock ministack 1.5.33 refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import botocore.loaders
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from local.seams.cloudwatch_alarms import alarm_record
from local.services.alarm_requests import AlarmRequestError


def provision_alarms() -> None:
    """Have stacks make the same alarms as PutMetricAlarm makes; stock still names and tags them."""
    from ministack.services.cloudformation import provisioners

    model = ServiceModel(botocore.loaders.Loader().load_service_model("cloudwatch", "service-2"))
    shape = model.operation_model("PutMetricAlarm").input_shape

    def record(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return alarm_record({**typed(shape, properties), "AlarmName": name})
        except AlarmRequestError as error:
            raise ValueError(f"AWS::CloudWatch::Alarm {name}: {error}") from error

    provisioners._cw_metric_alarm_record = record


def typed(shape: Shape | None, value: Any) -> Any:
    """A template's value as the API's types: a template may write numbers and booleans as text."""
    if isinstance(shape, StructureShape):
        members = {name: value[name] for name in shape.members if value.get(name) is not None}
        return {name: typed(shape.members[name], member) for name, member in members.items()}
    if isinstance(shape, ListShape):
        return [typed(shape.member, item) for item in value]
    if shape is None or shape.type_name == "string":
        return value
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    return int(value) if shape.type_name in ("integer", "long") else float(value)
