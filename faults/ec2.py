"""EC2's own view of a run's instances."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from faults.clients import Answer, RefusedError

if TYPE_CHECKING:
    from faults.guest import Guest
    from faults.machines import Machines


class Ec2Api:
    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def answers(self) -> Mapping[str, Answer]:
        return {"CreateTags": self._tag, "DescribeInstances": self._describe}

    def _tag(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        for resource in request["Resources"]:
            guest = self._machines.guests.get(resource)
            if guest is None:
                raise RefusedError("InvalidInstanceID.NotFound", f"{resource} does not exist")
            guest.tags |= {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        return {}

    def _describe(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = {it["Name"]: it["Values"] for it in request["Filters"]}
        guests = self._machines.guests
        found = [guests[it] for it in wanted["instance-id"] if it in guests]
        instances = [
            instance
            for instance in map(self._instance, found)
            if instance["State"]["Name"] in wanted["instance-state-name"]
        ]
        return {"Reservations": [{"Instances": instances}]}

    def _instance(self, guest: Guest) -> Mapping[str, Any]:
        return {
            "InstanceId": guest.instance_id,
            "LaunchTime": datetime.fromtimestamp(guest.started_at, UTC),
            "State": {"Name": self._machines.states[guest.instance_id].value},
        }
