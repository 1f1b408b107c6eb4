"""The fleet that a churn strikes: the stack as it is, with the churn's handler for jobs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cli.bring_up import bring_up
from cli.churn import handler
from cli.churn.acts import Faults
from cli.clouds import Endpoint
from cli.live import View
from cli.stack import Stack
from cli.trouble import explaining
from cli.watched import Watched, watching


class StrikableCloud(Endpoint, Faults, Protocol):
    """An embedded AWS: an account does not go wrong on demand."""


@contextmanager
def fleet(
    cloud: Endpoint, stack_name: str, parameters: Mapping[str, str], folder: Path, view: View
) -> Iterator[Watched]:
    """Deployed and at rest. Raises CommandError, after showing what there is to read, when not."""
    with watching(Stack(stack_name, cloud), view) as watched:
        with explaining(watched, folder):
            bring_up(watched, folder, cloud.environment(), parameters, ship_handler)
        yield watched


def ship_handler(built: Path) -> None:
    """Into what `sam build` made: the churn's handler in the example's place."""
    jobs = built / "JobsLayer/python/jobs"
    jobs.joinpath("handler.py").rename(jobs / "example.py")
    shutil.copy(handler.__file__, jobs / "handler.py")


def serving(watched: Watched) -> list[str]:
    """Ids of the instances in service."""
    members = watched.recorder.latest.members
    return [member.instance_id for member in members if member.state == "InService"]
