"""Waiting for something that a person was promised, and saying what never came."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.errors import CommandError

POLL_SECONDS = 0.5


def wait_until(condition: Callable[[], bool], limit_seconds: float, what: str) -> float:
    """Ask twice a second until `condition` holds; returns the seconds that it took.

    Raises CommandError, naming `what`, when it does not within the limit.
    """
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > limit_seconds:
            raise CommandError(f"{what} did not happen within {limit_seconds:g} seconds.")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - started
