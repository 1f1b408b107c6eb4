"""The experiment that the project began with: desired capacity raised by hand from 1 to 2."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from cli.bring_up import bring_up
from cli.clouds import Endpoint
from cli.live import View, headline
from cli.recording import Look
from cli.run_command import SHELL_SCRIPT, run_on_instance
from cli.stack import Stack
from cli.trouble import explaining
from cli.watched import Watched, watching

STACK_NAME = "pilotlight-origin"
COMMAND_LIMIT_SECONDS = 120.0
# Workers keep their protection from scale-in while the experiment lasts, so the scaler, which
# sees no job and would lower the capacity again, finds nobody who may leave.
PARAMETERS = {"IdleSeconds": "3600"}
PYTHON = '"${PILOTLIGHT_HOME:-/opt/pilotlight}/venv/bin/python"'
READ_TORCH = f'{PYTHON} -c "import torch; print(torch.__version__)"'


@dataclass(frozen=True)
class Findings:
    """What the experiment found; `seconds_to_in_service` from the call of SetDesiredCapacity."""

    before: dict[str, int]
    after: dict[str, int]
    instance_id: str
    seconds_to_in_service: float
    torch_version: str
    speed: float

    @property
    def sentence(self) -> str:
        """The last line of the experiment."""
        return (
            "{running} running and {stopped} stopped became ".format(**self.before)
            + "{running} running and {stopped} stopped ".format(**self.after)
            + f"in {self.seconds_to_in_service} s; torch {self.torch_version} "
            + f"on {self.instance_id}"
        )


def run_origin(cloud: Endpoint, folder: Path, speed: float, view: View) -> Findings:
    """Raises CommandError, after showing what there is to read, when something never came."""
    with watching(Stack(STACK_NAME, cloud), view) as watched, explaining(watched, folder):
        bring_up(watched, folder, cloud.environment(), PARAMETERS)
        return experiment(watched, speed)


def experiment(watched: Watched, speed: float) -> Findings:
    """Raise the capacity, wait for the woken instance, read torch's version inside it."""
    before = watched.recorder.latest
    watched.view.say(f"before: {headline(before)}")
    called_at = raise_capacity(watched.stack, before.desired + 1)
    watched.view.say(f"SetDesiredCapacity({before.desired + 1}) by hand")
    watched.wait_for_rest(before.running + 1)
    after = watched.recorder.latest
    watched.view.say(f"after: {headline(after)}")
    instance_id = (serving(after) - serving(before)).pop()
    in_service_at = first_in_service(watched.recorder.looks, instance_id)
    return Findings(
        before=counts(before),
        after=counts(after),
        instance_id=instance_id,
        seconds_to_in_service=round(in_service_at - called_at, 2),
        torch_version=read_torch_version(watched, instance_id),
        speed=speed,
    )


def raise_capacity(stack: Stack, capacity: int) -> float:
    """SetDesiredCapacity; returns the moment of the call."""
    called_at = time.time()
    stack.cloud.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName=stack.group_name, DesiredCapacity=capacity
    )
    return called_at


def read_torch_version(watched: Watched, instance_id: str) -> str:
    """By SSM Run Command, inside the instance. Raises CommandError with the command's output."""
    watched.view.say(f"ssm send-command {SHELL_SCRIPT} {instance_id}: {READ_TORCH}")
    return run_on_instance(
        watched.stack.cloud,
        instance_id,
        SHELL_SCRIPT,
        {"commands": [READ_TORCH]},
        COMMAND_LIMIT_SECONDS,
    )


def serving(look: Look) -> set[str]:
    return {member.instance_id for member in look.members if member.state == "InService"}


def counts(look: Look) -> dict[str, int]:
    return {"running": look.running, "stopped": look.stopped}


def first_in_service(looks: tuple[Look, ...], instance_id: str) -> float:
    """The first look, half a second apart from the next, which saw the instance in service."""
    return next(look.at for look in looks if instance_id in serving(look))
