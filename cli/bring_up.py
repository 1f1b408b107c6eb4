"""From nothing to a fleet at rest: sam build, sam deploy, the pool set up, proven and asleep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cli.deploy import Sam, Step, default_network
from cli.watched import REST_LIMIT_SECONDS, Watched

BUILD_LIMIT_SECONDS = 180.0
DEPLOY_LIMIT_SECONDS = 600.0  # CloudFormation waits for the whole pool


def as_built(_folder: Path) -> None:
    """Nothing is changed of what `sam build` made."""


def bring_up(
    watched: Watched,
    folder: Path,
    environment: Mapping[str, str],
    parameters: Mapping[str, str],
    change: Callable[[Path], None] = as_built,
) -> None:
    """Build and deploy the stack with `parameters`, then wait until its fleet is at rest.

    `environment` points SAM at the cloud; `change` is given the folder of what was built, before it
    is deployed. Raises CommandError saying which step failed and how.
    """
    sam = Sam(folder, environment)
    with sam.build() as build:
        _finish(watched, build, BUILD_LIMIT_SECONDS)
    change(sam.built)
    network = default_network(watched.stack.cloud)
    with sam.deploy(watched.stack.name, network, parameters) as deploy:
        _finish(watched, deploy, DEPLOY_LIMIT_SECONDS)
    watched.watch_queue(watched.stack.output("JobsQueueUrl"))
    watched.wait_until(
        lambda: watched.recorder.latest.at_rest, REST_LIMIT_SECONDS, "the fleet is at rest"
    )


def _finish(watched: Watched, step: Step, limit_seconds: float) -> None:
    watched.view.say(f"$ {step.command}")
    seconds = watched.wait_until(step.done, limit_seconds, f"sam {step.name} is done")
    watched.view.say(f"sam {step.name} took {seconds:.0f} s")
