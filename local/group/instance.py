"""One instance as its group sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from local.group.activities import Activity, Cause
from local.group.settings import Placement
from local.group.states import LifecycleState, Transition


class Machine(StrEnum):
    """What EC2 is doing with the instance, as far as the group knows."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"


# For what every step does: as a member of its enumeration, each is looked up at each use.
PENDING, RUNNING, STOPPING, STOPPED, SHUTTING_DOWN, TERMINATED = Machine


@dataclass(frozen=True, slots=True)
class Launched:
    """What EC2 answered to a launch; `template_version` orders instances by age of template."""

    instance_id: str
    instance_type: str = ""
    image_id: str = ""
    template_version: int = 1


@dataclass(slots=True, eq=False)
class Instance:
    """`journey` counts the transitions begun: what was planned for an earlier one is void."""

    launched: Launched
    placement: Placement
    launched_at: float
    transition: Transition
    activity: Activity
    state: LifecycleState
    machine: Machine = Machine.PENDING
    unhealthy_cause: Cause | None = None
    protected: bool = False
    in_service_at: float | None = None
    target: LifecycleState | None = None
    journey: int = 0
    instance_id: str = field(init=False)
    zone: str = field(init=False)

    def __post_init__(self) -> None:
        self.instance_id = self.launched.instance_id
        self.zone = self.placement.zone

    @property
    def healthy(self) -> bool:
        return self.unhealthy_cause is None
