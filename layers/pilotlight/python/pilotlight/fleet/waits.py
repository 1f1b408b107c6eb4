"""Instances that a lifecycle hook holds: since when, and for what.

Events are best effort, so this reads only what AWS shows now: states and activities.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotlight.fleet.group import Member
from pilotlight.fleet.lifecycle_action import DRAIN_HOOK, EC2, GROUP, READY_HOOK, WARM_POOL
from pilotlight.fleet.states import is_waiting

# The status of a launch that its hook holds (live recordings; botocore: ScalingActivityStatusCode).
# One that ends has another, MidTerminatingLifecycleAction, which botocore does not list.
HELD_LAUNCH = "MidLifecycleAction"
_INSTANCE_ID = re.compile(r"\bi-[0-9a-f]{8,17}\b")
# A wake is answered within seconds of its event, and a job waits for it.
WAKE_DUE = timedelta(seconds=30)
# Lifecycle events were seen to arrive after two minutes; acting earlier would only double commands.
EVENT_DUE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Activity:
    """One scaling activity; its description ends in the instance's id.

    Texts: `Launching a new EC2 instance: i-...`, `... into warm pool: i-...`, `... from warm pool:
    i-...`, `Terminating EC2 instance: i-...` (AWS samples, features/warm-pools).
    """

    description: str
    status: str
    status_message: str
    started_at: datetime

    @property
    def is_over(self) -> bool:
        return self.status in ("Successful", "Failed", "Cancelled")

    @property
    def is_setup(self) -> bool:
        """Whether a new instance is launched; a wake launches none."""
        return self.description.startswith("Launching") and "from warm pool" not in self.description

    @property
    def setup_failed(self) -> bool:
        """Abandoned in its hook (AWS user guide, CHAP_Troubleshooting), and not by EC2."""
        return self.is_over and "Lifecycle Action" in self.status_message

    @property
    def was_refused(self) -> bool:
        """EC2 gave no instance, for lack of capacity or another reason: nothing has run."""
        return self.status == "Failed" and not self.instance_id

    @property
    def instance_id(self) -> str:
        """Empty when the description names none."""
        found = _INSTANCE_ID.search(self.description)
        return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class Wait:
    """`began_at` is when its activity started, a little before the hook; None without one."""

    instance_id: str
    state: str
    hook: str
    origin: str
    destination: str
    began_at: datetime | None

    @property
    def has_command(self) -> bool:
        """Whether something must be asked on the instance; the pool's own moves need nothing."""
        return self.origin != WARM_POOL

    @property
    def is_wake(self) -> bool:
        """Whether it was proven before it slept, and a job waits for it."""
        return self.origin == WARM_POOL and self.destination == GROUP

    def due_at(self, now: datetime) -> datetime:
        """Without a beginning it is due now: what it leads to is safe to do early."""
        if self.began_at is None:
            return now
        return self.began_at + (EVENT_DUE if self.has_command else WAKE_DUE)


def find_waits(members: Iterable[Member], activities: Iterable[Activity]) -> list[Wait]:
    """The held instances."""
    latest: dict[str, Activity] = {}
    for activity in sorted(activities, key=lambda activity: activity.started_at):
        if not activity.is_over:
            latest[activity.instance_id] = activity
    return [
        _wait_of(member, latest.get(member.instance_id))
        for member in members
        if is_waiting(member.lifecycle_state)
    ]


def _wait_of(member: Member, activity: Activity | None) -> Wait:
    hook, origin, destination = _transition(member.lifecycle_state, activity)
    return Wait(
        instance_id=member.instance_id,
        state=member.lifecycle_state,
        hook=hook,
        origin=origin,
        destination=destination,
        began_at=activity.started_at if activity else None,
    )


def _transition(state: str, activity: Activity | None) -> tuple[str, str, str]:
    """(hook, origin, destination).

    `Warmed:Pending:Wait` is both an entry and a return: a launch always has its open activity (live
    recordings show it), so without one it is a return. A `Pending:Wait` that no activity explains
    is treated as a cold launch, which proves it once more and is merely slower.
    """
    description = activity.description if activity else ""
    if state == "Pending:Wait":
        from_pool = "from warm pool" in description
        return READY_HOOK, WARM_POOL if from_pool else EC2, GROUP
    if state == "Warmed:Terminating:Wait":
        return DRAIN_HOOK, WARM_POOL, EC2
    if state == "Warmed:Pending:Wait":
        if description.startswith("Launching"):
            return READY_HOOK, EC2, WARM_POOL
        return DRAIN_HOOK, GROUP, WARM_POOL
    return DRAIN_HOOK, GROUP, EC2
