"""What CloudFormation has Auto Scaling do when the launch template changes.

User guide, asg-instance-refresh and instance-refresh-overview: what is in service is replaced
first, then the pool; protected instances are waited for (ScaleInProtectedInstances: Wait); what has
the new template is skipped (SkipMatching). At the default of 90 percent that stay healthy a small
group is replaced one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from local.group.instance import Instance
from local.group.states import LifecycleState

if TYPE_CHECKING:
    from faults.world import World

CAUSE = "an instance was taken out of service in response to an instance refresh."
LOOK_SECONDS = 5.0
# AWS waits for an hour for one that is protected; an update that takes longer fails.
LIMIT_SECONDS = 2400.0


class InstanceRefresh:
    """`sleep` is of the task that it runs in; `is_running` while PutWarmPool is refused."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.is_running = False

    def run(self, sleep: Callable[[float], None]) -> None:
        clock = self._world.clock
        until = clock.now() + LIMIT_SECONDS
        self.is_running = True
        while self.outdated() and clock.now() < until:
            replaced = self._next()
            if replaced is not None:
                self._world.group.health.report(replaced, CAUSE)
            sleep(LOOK_SECONDS)
        self.is_running = False
        if self.outdated():
            self._world.tally["refresh_gave_up"] += 1

    def outdated(self) -> list[Instance]:
        newest = self._world.machines.template_version
        members = self._world.group.members
        return [it for it in members if it.launched.template_version < newest]

    def _next(self) -> Instance | None:
        """None while the group is not whole, or may not launch, or nobody can be spared.

        With Launch suspended nothing is replaced (user guide,
        understand-how-suspending-processes-affects-other-processes).
        """
        members = self._world.group.members
        if self._world.group.is_suspended("Launch"):
            return None
        whole = members.in_service >= self._world.group.desired_capacity
        if not whole or members.launching:
            return None
        outdated = self.outdated()
        serving = [it for it in outdated if it.state is LifecycleState.IN_SERVICE]
        if serving:
            return next((it for it in serving if not it.protected), None)
        return next((it for it in outdated if it.state is LifecycleState.WARMED_STOPPED), None)
