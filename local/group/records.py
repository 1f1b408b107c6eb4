"""Writes down what the group does: activities in its log, events to its listener."""

from __future__ import annotations

from local.group.actions import LifecycleAction
from local.group.activities import (
    CANCELLED,
    FAILED,
    SUCCESSFUL,
    Activity,
    ActivityLog,
    Cause,
)
from local.group.events import ActionEvent, OutcomeEvent, RefreshEvent
from local.group.instance import Instance
from local.group.ports import World
from local.group.settings import Placement
from local.group.states import LifecycleState, Transition

ALL_PROTECTED = (
    "Could not scale to desired capacity because all remaining instances are protected "
    "from scale-in."
)


class Records:
    """The one place where activities begin and end, each end with its event."""

    def __init__(self, name: str, arn: str, world: World, kept_activities: int) -> None:
        self._name = name
        self._arn = arn
        self._world = world
        self.now = world.schedule.now
        self.log = ActivityLog(kept_activities)

    def at(self, text: str, *values: object) -> Cause:
        """Said of this moment."""
        return Cause(self.now(), text, values)

    def begin(self, description: str, cause: Cause, placement: Placement | None) -> Activity:
        token = self._world.ids.token()
        return self.log.begin(Activity(token, description, cause, self.now(), placement))

    def action_opened(self, instance: Instance, action: LifecycleAction) -> None:
        event = ActionEvent(
            self._name,
            self._arn,
            self.now(),
            instance.transition,
            instance.instance_id,
            action,
        )
        self._world.listener.publish(event)

    def succeeded(self, instance: Instance) -> None:
        """The instance has arrived, or is gone as it should be."""
        self.log.end(instance.activity, SUCCESSFUL, self.now())
        self._publish(instance.transition, instance.activity, instance.instance_id, True)

    def launch_failed(self, instance: Instance, message: str) -> None:
        self.log.end(instance.activity, FAILED, self.now(), message)
        self._publish(instance.transition, instance.activity, instance.instance_id, False)

    def launch_abandoned(self, instance: Instance, message: str) -> None:
        self.log.end(instance.activity, CANCELLED, self.now(), message)
        self._publish(instance.transition, instance.activity, instance.instance_id, False)

    def launch_refused(self, transition: Transition, activity: Activity, message: str) -> None:
        """EC2 gave no instance: there is no id to name."""
        activity.description = f"{transition.description}.  Status Reason: {message}"
        self.log.end(activity, FAILED, self.now(), message)
        self._publish(transition, activity, "", False)

    def superseded(self, instance: Instance) -> None:
        """Another transition takes over, maybe before this one has ended."""
        message = "The activity was superseded by a later one."
        self.log.end(instance.activity, CANCELLED, self.now(), message)

    def all_protected(self, cause: Cause) -> None:
        """User guide, ec2-auto-scaling-instance-protection: desired changes, nothing terminates."""
        activity = self.begin(ALL_PROTECTED, cause, None)
        self.log.end(activity, CANCELLED, self.now(), ALL_PROTECTED)

    def target(self, instance: Instance, state: LifecycleState) -> None:
        if instance.target is not state:
            instance.target = state
            self._world.listener.target_state(instance.instance_id, state)

    def gone(self, instance: Instance) -> None:
        self.succeeded(instance)
        self._world.listener.target_state(instance.instance_id, None)

    def refresh_changed(self, refresh_id: str, verb: str) -> None:
        event = RefreshEvent(self._name, self._arn, self.now(), refresh_id, verb)
        self._world.listener.publish(event)

    def _publish(
        self, transition: Transition, activity: Activity, instance_id: str, succeeded: bool
    ) -> None:
        ended_at = activity.start_time if activity.end_time is None else activity.end_time
        event = OutcomeEvent(
            self._name,
            self._arn,
            ended_at,
            transition,
            instance_id,
            activity,
            succeeded,
        )
        self._world.listener.publish(event)
