"""The machines behind EC2: every instance is a box of its own on this computer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class InstanceSpec:
    """What RunInstances was asked for. `user_data` is decoded; `role_arn` is of the profile's role."""

    instance_id: str
    image_id: str
    instance_type: str
    zone: str
    region: str
    private_ip: str
    user_data: bytes
    role_arn: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Completed:
    exit_code: int
    stdout: str
    stderr: str


class InstanceHost:
    """Boots, stops and enters boxes. Callbacks come later, from another thread, never before return."""

    def create(self, spec: InstanceSpec) -> None:
        """Lay out the disk; nothing runs yet."""
        raise NotImplementedError

    def boot(self, instance_id: str, on_running: Callable[[], None]) -> None:
        """First boot runs the user data once; every boot starts enabled services."""
        raise NotImplementedError

    def stop(self, instance_id: str, on_stopped: Callable[[], None]) -> None:
        """Kill every process and lose memory and /run; keep the disk."""
        raise NotImplementedError

    def terminate(self, instance_id: str, on_terminated: Callable[[], None]) -> None:
        """As stop, and the disk goes too."""
        raise NotImplementedError

    def set_target_lifecycle_state(self, instance_id: str, state: str | None) -> None:
        """What IMDS autoscaling/target-lifecycle-state answers; None is 404."""
        raise NotImplementedError

    def agent_registered(self, instance_id: str) -> bool:
        """Whether the SSM agent has ever registered (it comes up some seconds after running)."""
        raise NotImplementedError

    def agent_online(self, instance_id: str) -> bool:
        """Whether the agent answers now."""
        raise NotImplementedError

    def run(
        self,
        instance_id: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        timeout_seconds: float,
    ) -> Completed:
        """Run one command in the box as the agent would; blocks.

        Raises TimeoutError when killed at the limit, ConnectionError when the box went away.
        """
        raise NotImplementedError
