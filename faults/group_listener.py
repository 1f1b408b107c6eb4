"""Who hears what happens in the group of a run, and passes it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faults.bus import Bus
from faults.diary import Diary
from faults.machines import Machines
from local.group.events import GroupEvent
from local.group.instance import Instance
from local.group.states import LifecycleState


@dataclass(frozen=True)
class Leaving:
    """A member that begins to leave service; `busy` jobs run on it at that moment."""

    instance_id: str
    cause: str
    busy: int


class GroupListener:
    """`member` finds one of the group's; `stir` hears that something is worth a look.

    `moves` counts the events, `abandoned` are instances whose launch was abandoned.
    """

    def __init__(
        self,
        bus: Bus,
        diary: Diary,
        machines: Machines,
        member: Callable[[str], Instance | None],
        stir: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._diary = diary
        self._machines = machines
        self._member = member
        self._stir = stir
        self.moves = 0
        self.leavings: list[Leaving] = []
        self.abandoned: list[str] = []

    def publish(self, event: GroupEvent) -> None:
        self.moves += 1
        self._stir()
        detail = event.detail
        if "was abandoned" in detail.get("StatusMessage", ""):
            self.abandoned.append(detail["EC2InstanceId"])
        if self._diary.listens:
            self._diary.say(f"{event.detail_type}: {_in_short(detail)}")
        self._bus.publish("aws.autoscaling", event.detail_type, detail, event.resources)

    def target_state(self, instance_id: str, state: str | None) -> None:
        """What the instance's metadata tells from now on."""
        guest, member = self._machines.guests.get(instance_id), self._member(instance_id)
        if guest is None or member is None:
            return
        if guest.target == LifecycleState.IN_SERVICE and state != guest.target:
            self.leavings.append(Leaving(instance_id, member.activity.cause, guest.busy))
        guest.target = state
        self._stir()

    def group_gone(self, name: str) -> None:
        self._diary.say(f"{name} is gone")


def _in_short(detail: Mapping[str, Any]) -> str:
    way = f"{detail.get('Origin')} -> {detail.get('Destination')}"
    return f"{detail.get('EC2InstanceId')} {way} {detail.get('StatusMessage', '')}".strip()
