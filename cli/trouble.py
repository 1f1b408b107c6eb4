"""What to read when a run on the embedded AWS went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.cloudlogs import LogLine
from cli.errors import CommandError
from cli.live import headline
from cli.watched import Watched

LAST_LINES = 12
LAST_EVENTS = 8
SETUP_LOG = "cloud-init-output.log"


@contextmanager
def explaining(watched: Watched, folder: Path) -> Iterator[None]:
    """When the block fails, show what there is to read before the cloud goes away."""
    try:
        yield
    except CommandError:
        for line in explain(watched, folder):
            watched.view.say(line)
        raise


def explain(watched: Watched, folder: Path) -> list[str]:
    """Where the fleet stands, the end of the functions' logs, and of every instance's setup."""
    look = watched.recorder.looks[-1:]
    told = [f"The fleet: {headline(look[0])}"] if look else ["No fleet was seen."]
    told += [f"  {member.instance_id} {member.state}" for each in look for member in each.members]
    told.append("The last of the functions' logs:")
    told += [f"  {line.readable()}" for line in _telling(watched)[-LAST_EVENTS:]]
    for log in sorted((folder / "cloud" / "instances").rglob(SETUP_LOG)):
        told.append(f"The end of {log}:")
        told += [f"  {line}" for line in _last_lines(log)]
    return told


def _telling(watched: Watched) -> list[LogLine]:
    return [line for line in watched.logs.lines if line.instance_id or line.is_failure]


def _last_lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
