"""The watch: looks at the queue between two runs of reconcile, brought by delayed messages.

Reconcile, each minute, looks by itself and sends the rest of that minute's looks ahead as messages
("ticks") that SQS delays, so no function sleeps. A tick says nothing but that it is time to look.
"""

from collections.abc import Sequence
from typing import Protocol

from pilotlight.scaling.forecast import ArrivalHistory

MINUTE_SECONDS = 60
CLOSE_WATCH_SECONDS = 1


class TickSender(Protocol):
    def send_ticks(self, delays_seconds: Sequence[int]) -> None:
        """Sends a tick for each delay, counted from now. Raises TransientError."""
        ...


def pause_seconds(watch_seconds: int, history: ArrivalHistory | None) -> int:
    """Between two looks: one second while a job an hour comes, by the mean of the history; 0 for
    none.

    Two looks more in three seconds cost USD 0.0039 an hour (docs/scaling.md) and spare each job
    that finds no worker about a second, worth USD 0.0037 by the target of one second, where an
    instance costs USD 0.526 an hour.
    """
    if not watch_seconds or history is None:
        return watch_seconds
    return CLOSE_WATCH_SECONDS if history.jobs_an_hour >= 1.0 else watch_seconds


def tick_delays_seconds(watch_seconds: int) -> Sequence[int]:
    """When the looks of the minute that begins now are due, after reconcile's own at second 0.

    They do not reach into the next minute: overlap would be paid for each minute, and what it would
    bridge, a reconcile that comes late, costs only as many seconds as it is late.
    """
    return range(watch_seconds, MINUTE_SECONDS, watch_seconds)
