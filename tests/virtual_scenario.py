"""A stage in virtual time: the whole API over the group model, no process, no second passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from local.group.clock import VirtualClock
from local.group.events import GroupEvent
from local.group.instance import Machine
from local.group.latency import published
from local.group.ports import World
from local.group.settings import Hook, Placement
from local.group.virtual_machines import VirtualMachines
from local.services.autoscaling_api import OPERATIONS, answer_query
from local.services.autoscaling_query import service_model
from local.services.autoscaling_service import AutoScalingService, GroupRecord

ZONES = (
    Placement("us-east-1a", "use1-az1", "subnet-a"),
    Placement("us-east-1b", "use1-az2", "subnet-b"),
)
LONGEST_WAIT_SECONDS = 3000


class VirtualSurroundings:
    """Clock, EC2, event sink and API client of one or more virtual groups."""

    def __init__(self) -> None:
        self.clock = VirtualClock(start=1_760_000_000.0)
        self.machines: list[VirtualMachines] = []
        self.service = AutoScalingService("us-east-1", "000000000000", self, threading.RLock())
        self.client: Any = QueryClient(self.service)
        self.targets: dict[str, str | None] = {}
        self._events: list[dict[str, Any]] = []
        self._tokens = count(1)

    # Surroundings

    def poll(self, condition: Callable[[], bool]) -> bool:
        for _ in range(LONGEST_WAIT_SECONDS):
            if condition():
                return True
            self.pass_seconds(1)
        return False

    def pass_seconds(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def events(self) -> list[dict[str, Any]]:
        return list(self._events)

    def machine_state(self, instance_id: str) -> str:
        return self._machines_of(instance_id).states[instance_id].value

    def lose_machine(self, instance_id: str, state: str) -> None:
        self._machines_of(instance_id).lose(instance_id, Machine(state))

    def set_capacity(self, available: bool) -> None:
        zones = {place.zone for place in ZONES}
        for machines in self.machines:
            machines.without_capacity = set() if available else zones

    def where_to_launch(self) -> dict[str, Any]:
        return {
            "LaunchTemplate": {"LaunchTemplateName": "worker"},
            "VPCZoneIdentifier": "subnet-a,subnet-b",
        }

    def new_template(self) -> dict[str, Any]:
        for machines in self.machines:
            machines.template_version += 1
        version = max(machines.template_version for machines in self.machines)
        return {"LaunchTemplateName": "worker", "Version": str(version)}

    # Cloud of the service

    def now(self) -> float:
        return self.clock.now()

    def placements(self, subnet_ids: Sequence[str], zones: Sequence[str]) -> tuple[Placement, ...]:
        return ZONES

    def launch_source(self, request: Mapping[str, Any]) -> dict[str, str]:
        version = request["LaunchTemplate"].get("Version", "1")
        return {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "worker", "Version": version}

    def template_version(self, launch: Mapping[str, str]) -> int:
        return int(launch["Version"])

    def world(self, record: GroupRecord) -> World:
        machines = VirtualMachines(self.clock, published(), lambda: record.group.ec2)
        self.machines.append(machines)
        return World(self.clock, machines, self, self, published())

    def test_notification(self, record: GroupRecord, hook: Hook) -> None:
        return None

    def collect_metrics(self) -> None:
        return None

    # Ids and Listener of the group

    def token(self) -> str:
        return f"{next(self._tokens):036d}"

    def publish(self, event: GroupEvent) -> None:
        self._events.append(
            {
                "detail-type": event.detail_type,
                "detail": event.detail,
                "resources": list(event.resources),
            }
        )

    def target_state(self, instance_id: str, state: str | None) -> None:
        self.targets[instance_id] = state

    def group_gone(self, name: str) -> None:
        self.service.forget(name)

    def _machines_of(self, instance_id: str) -> VirtualMachines:
        return next(machines for machines in self.machines if instance_id in machines.states)


class QueryClient:
    """As a boto3 client, without HTTP: botocore writes the request and reads the answer."""

    def __init__(self, service: AutoScalingService) -> None:
        self._service = service
        self._operations = {xform_name(name): name for name in OPERATIONS}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda **parameters: self._call(self._operations[method], parameters)

    def _call(self, name: str, parameters: dict[str, Any]) -> Any:
        operation = service_model().operation_model(name)
        request = create_serializer("query").serialize_to_request(parameters, operation)
        flat = {key: str(value) for key, value in request["body"].items()}
        status, body = answer_query(self._service, name, flat)
        answer = {"status_code": status, "headers": {}, "body": body}
        parsed = create_parser("query").parse(answer, operation.output_shape)
        if status >= 400:
            raise ClientError(parsed, name)
        return parsed
