"""Auto Scaling for real: stock ministack keeps group records and invents their instances.

One service for the account and Region of the embedded AWS. Its groups live on the wall clock, their
machines are EC2's, their events go to the bus.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import boto3

from local.context import CloudContext
from local.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.group.errors import NoActiveLifecycleActionError
from local.group.events import GroupEvent
from local.group.group import Group
from local.group.latency import published
from local.group.ports import World
from local.group.settings import Hook, Placement
from local.seams import autoscaling_ec2, ec2
from local.seams.eventbridge import emit
from local.seams.permissions import in_account
from local.services.autoscaling_api import OPERATIONS, answer_query
from local.services.autoscaling_clock import WallClock
from local.services.autoscaling_metrics import group_metrics
from local.services.autoscaling_notifications import Notifications
from local.services.autoscaling_outbox import Outbox
from local.services.autoscaling_policies import execute_by_alarm
from local.services.autoscaling_service import AutoScalingService, GroupRecord

Answer = tuple[int, dict[str, str], bytes]
METRIC_PERIOD_SECONDS = 60.0

_service: AutoScalingService | None = None


def install(context: CloudContext) -> None:
    """Answer every operation that the group model knows; the others stay with ministack."""
    global _service
    clock = WallClock()
    cloud = EmbeddedCloudPorts(context, clock)
    _service = AutoScalingService(context.region, context.account_id, cloud, clock.lock)
    cloud.start(_service)
    ec2.on_state_change(cloud.instance_changed)
    answer_requests(_service)


def service() -> AutoScalingService:
    """The service of the running embedded AWS; whoever uses its groups holds its `lock`."""
    if _service is None:
        raise RuntimeError("seams.autoscaling is installed before anyone uses it")
    return _service


def execute_policy(policy_arn: str, alarm_name: str, metric_value: float, threshold: float) -> None:
    """What an alarm's scaling action does; raises AutoScalingError when there is no such policy."""
    with service().lock:
        execute_by_alarm(service(), policy_arn, alarm_name, metric_value, threshold)


def answer_requests(auto_scaling: AutoScalingService) -> None:
    """Stock answers on the event loop; here a call may wait for the model, so it takes a thread.

    `_ACTION_MAP` is what other seams call within the process.
    """
    from ministack.services import autoscaling as stock

    stock_handle_request = stock.handle_request

    def answer(operation: str, parameters: Mapping[str, Any]) -> Answer:
        flat = {k: v[0] if isinstance(v, list) else v for k, v in parameters.items()}
        status, body = answer_query(auto_scaling, operation, flat)
        return status, {"Content-Type": "text/xml"}, body

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Mapping[str, Any]
    ) -> Any:
        parsed = parse_qsl(body.decode(), keep_blank_values=True) if body else query_params
        parameters = dict(parsed)
        action = parameters.get("Action", "")
        operation = action[0] if isinstance(action, list) else action
        if operation not in OPERATIONS:
            return await stock_handle_request(method, path, headers, body, query_params)
        return await asyncio.to_thread(answer, operation, parameters)

    stock.handle_request = handle_request
    for operation in OPERATIONS:
        stock._ACTION_MAP[operation] = partial(answer, operation)


class EmbeddedCloudPorts:
    """The `Cloud` of the service and the `Listener` of its groups."""

    def __init__(self, context: CloudContext, clock: WallClock) -> None:
        self._context = context
        self._clock = clock
        self._latency = published(context.speed)
        self._notifications = Notifications(context.account_id, self._client)
        self._outbox = Outbox(_emit, self._notifications, self._apply_default_result)
        self._collecting = False

    def start(self, auto_scaling: AutoScalingService) -> None:
        self._service = auto_scaling
        for name, body in (("clock", self._clock.run), ("outbox", self._outbox.run)):
            threading.Thread(
                target=in_account,
                args=(self._context, body),
                name=f"autoscaling-{name}",
                daemon=True,
            ).start()
        self._context.on_stop(self._outbox.stop)
        self._context.on_stop(self._clock.stop)

    # Cloud

    def now(self) -> float:
        return self._clock.now()

    def placements(self, subnet_ids: Sequence[str], zones: Sequence[str]) -> tuple[Placement, ...]:
        return in_account(self._context, autoscaling_ec2.placements, subnet_ids, zones)

    def launch_source(self, request: Mapping[str, Any]) -> dict[str, str]:
        return in_account(self._context, autoscaling_ec2.launch_source, request)

    def template_version(self, launch: Mapping[str, str]) -> int:
        return in_account(self._context, autoscaling_ec2.template_version, launch)

    def world(self, record: GroupRecord) -> World:
        machines = autoscaling_ec2.Ec2Machines(self._context, self._clock, record)
        return World(self._clock, machines, self, self, self._latency)

    def test_notification(self, record: GroupRecord, hook: Hook) -> None:
        self._notifications.test(record.name, record.arn, hook, self.now())

    def collect_metrics(self) -> None:
        if not self._collecting:
            self._collecting = True
            self._send_metrics()

    # Ids and Listener

    def token(self) -> str:
        return str(uuid4())

    def publish(self, event: GroupEvent) -> None:
        self._outbox.put(event)

    def target_state(self, instance_id: str, state: str | None) -> None:
        self._context.instances.set_target_lifecycle_state(instance_id, state)

    def group_gone(self, name: str) -> None:
        self._service.forget(name)

    # What comes from elsewhere

    def instance_changed(self, instance_id: str, state: str) -> None:
        self._clock.call_soon(self._hear_of_change, instance_id, state)

    def _hear_of_change(self, instance_id: str, state: str) -> None:
        for group in self._groups():
            autoscaling_ec2.hear_of_change(group, instance_id, state)

    def _apply_default_result(self, event: GroupEvent) -> None:
        self._clock.call_soon(self._complete_undelivered, event)

    def _complete_undelivered(self, event: GroupEvent) -> None:
        record = self._service.find(event.detail["AutoScalingGroupName"])
        hook, token = event.hook, event.detail["LifecycleActionToken"]
        if record is None or hook is None:
            return
        try:
            record.group.journeys.actions.complete(hook.name, hook.default_result, token, None)
        except NoActiveLifecycleActionError:
            return  # somebody was faster

    def _send_metrics(self) -> None:
        from ministack.services import cloudwatch

        for record in self._service.records():
            values = group_metrics(record.group)
            for metric in record.enabled_metrics:
                dimensions = {"AutoScalingGroupName": record.name}
                cloudwatch.record_metric(
                    "AWS/AutoScaling", metric, values[metric], "None", dimensions
                )
        period = METRIC_PERIOD_SECONDS / self._context.speed
        self._clock.call_at(self.now() + period, self._send_metrics)

    def _groups(self) -> list[Group]:
        return [record.group for record in self._service.records()]

    def _client(self, name: str) -> Any:
        session: Any = boto3.session.Session()
        return session.client(
            name,
            endpoint_url=self._context.endpoint,
            region_name=self._context.region,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )


def _emit(event: GroupEvent) -> None:
    emit("aws.autoscaling", event.detail_type, event.detail, event.resources)
