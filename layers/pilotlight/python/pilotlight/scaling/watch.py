"""The watch: looks at the queue between two runs of reconcile, brought by delayed messages.

Reconcile, each minute, looks by itself and sends the rest of that minute's looks ahead as messages
("ticks") that SQS delays, so no function sleeps. A tick says nothing but that it is time to look.
"""

from collections.abc import Sequence
from typing import Protocol

MINUTE_SECONDS = 60


class TickSender(Protocol):
    def send_ticks(self, delays_seconds: Sequence[int]) -> None:
        """Sends a tick for each delay, counted from now. Raises TransientError."""
        ...


def tick_delays_seconds(watch_seconds: int) -> Sequence[int]:
    """When the looks of the minute that begins now are due, after reconcile's own at second 0.

    They do not reach into the next minute: overlap would be paid for each minute, and what it would
    bridge, a reconcile that comes late, costs only as many seconds as it is late.
    """
    return range(watch_seconds, MINUTE_SECONDS, watch_seconds)
