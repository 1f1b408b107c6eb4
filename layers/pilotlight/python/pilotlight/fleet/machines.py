"""The instances as EC2 sees them: whether they run, whatever the group and SSM think."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from pilotlight.fleet.lifecycle_action import DRAIN_HOOK, Pause

NOT_RUNNING = "NOT_RUNNING"


class Machines(Protocol):
    def running_since(self, instance_ids: Iterable[str]) -> Mapping[str, datetime]:
        """When each was started last; one that does not run, or is gone, is missing.

        Raises TransientError when throttled.
        """
        ...


def has_nothing_to_drain(pause: Pause, machines: Machines) -> bool:
    """Whether it is to be drained and does not even run.

    SSM would take the command all the same, and keep it until it expires: a stopped instance is in
    a valid state for it (botocore, SendCommand, InvalidInstanceId).
    """
    return pause.hook == DRAIN_HOOK and not machines.running_since([pause.instance_id])
