"""Clocks that run in the account and end with the embedded AWS."""

from __future__ import annotations

import threading

from local.context import CloudContext
from local.seams.permissions import in_account
from local.services.autoscaling_clock import WallClock


def started_clock(context: CloudContext, name: str) -> WallClock:
    """A clock whose planned calls are made on a thread `name` as requests to the account."""
    clock = WallClock()
    threading.Thread(target=in_account, args=(context, clock.run), name=name, daemon=True).start()
    context.on_stop(clock.stop)
    return clock
