"""Waiting for what the embedded AWS does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 60.0


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds once it finds anything; None after a long time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    return None
