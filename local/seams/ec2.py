"""EC2 with machines behind it: RunInstances boots a box, StopInstances kills its processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.context import CloudContext


class Ec2Error(Exception):
    """EC2 refused a call. `code` and `message` are AWS's own, e.g. InsufficientInstanceCapacity."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def install(context: CloudContext) -> None:
    """Put machines behind ministack's EC2 and give them to the others as `context.instances`."""
    raise NotImplementedError


def launch_template_data(specification: Mapping[str, str]) -> dict[str, Any]:
    """LaunchTemplateData of a {LaunchTemplateId|LaunchTemplateName, Version} pair.

    Version may be a number, $Latest or $Default (the default). Two keys are added, by which the
    caller may tag: `LaunchTemplateId` and `VersionNumber` (int).
    Raises Ec2Error InvalidLaunchTemplateId.NotFound and the like.
    """
    raise NotImplementedError


def launch_instance(
    template: Mapping[str, Any],
    subnet_id: str,
    tags: Mapping[str, str],
    on_running: Callable[[], None],
    on_failed: Callable[[str, str], None],
) -> str:
    """RunInstances for one instance of LaunchTemplateData; returns its id, state `pending`.

    `tags` come on top of the template's TagSpecifications and win over them.
    Raises Ec2Error when EC2 refuses the call: then there is no instance.
    Afterwards exactly one of `on_running()` and `on_failed(code, message)` is called from another
    thread; when failed the instance is terminated already.
    """
    raise NotImplementedError


def start_instance(
    instance_id: str, on_running: Callable[[], None], on_failed: Callable[[str, str], None]
) -> None:
    """StartInstances: stopped -> pending -> running.

    Raises Ec2Error when EC2 refuses the call (InsufficientInstanceCapacity, IncorrectInstanceState):
    the instance then stays stopped. `on_failed(code, message)` is called from another thread if it
    cannot come up after all; it is stopped again then.
    """
    raise NotImplementedError


def stop_instance(instance_id: str, on_stopped: Callable[[], None]) -> None:
    """StopInstances: running -> stopping -> stopped. `on_stopped` comes from another thread.

    Stopping an instance which is stopped already calls back soon. Raises Ec2Error.
    """
    raise NotImplementedError


def terminate_instance(instance_id: str, on_terminated: Callable[[], None]) -> None:
    """TerminateInstances from any state; -> shutting-down -> terminated. Raises Ec2Error."""
    raise NotImplementedError


def on_state_change(callback: Callable[[str, str], None]) -> None:
    """Register `callback(instance_id, state)` for every state an instance enters, whoever asked.

    States are EC2's: pending, running, stopping, stopped, shutting-down, terminated. Changes asked
    for by the functions above are reported as well (before their own callback), so that the
    callback must tell expected from unexpected. Called from any thread; it must be quick.
    """
    raise NotImplementedError


def set_capacity(zone: str, available: bool) -> None:
    """Whether EC2 has capacity in `zone` (an Availability Zone's name, or `*` for all of them).

    Without it RunInstances and StartInstances answer InsufficientInstanceCapacity, as EC2 does.
    Also over HTTP: POST /_pilotlight/capacity {"zone": "us-east-1a", "available": false}
    """
    raise NotImplementedError
