"""What the group needs of the world around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from local.group.clock import Schedule
from local.group.events import GroupEvent
from local.group.instance import Launched
from local.group.latency import Latency
from local.group.settings import Placement


class LaunchError(Exception):
    """EC2 refused a launch at once, so there is no instance; `code` is EC2's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Machines(Protocol):
    """EC2. Answers come later, never before the call returns, by `group.ec2`: `running` or
    `failed` to launch and start, `stopped` to stop, `terminated` to terminate."""

    def launch(self, placement: Placement) -> Launched:
        """A new instance in state pending; raises LaunchError."""
        ...

    def start(self, instance_id: str) -> None: ...

    def stop(self, instance_id: str) -> None:
        """Stop, or hibernate when the instance was launched for it."""

    def terminate(self, instance_id: str) -> None:
        """Harmless, and answered, when the instance is terminated already."""


class Listener(Protocol):
    """Who hears what happens; must not call back into the group before it returns."""

    def publish(self, event: GroupEvent) -> None: ...

    def target_state(self, instance_id: str, state: str | None) -> None:
        """The instance's target lifecycle state is now this; None when the group lets it go."""

    def group_gone(self, name: str) -> None:
        """A deleted group has lost its last member."""


class Ids(Protocol):
    """Where new identifiers come from."""

    def token(self) -> str:
        """36 characters, never the same twice."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """The ports of one group, together."""

    schedule: Schedule
    machines: Machines
    listener: Listener
    ids: Ids
    latency: Latency
