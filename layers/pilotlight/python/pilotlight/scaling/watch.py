"""The watch: looks at the queue between two runs of reconcile, brought by delayed messages.

Reconcile, each minute, looks by itself and sends the rest of that minute's looks ahead as messages
("ticks") that SQS delays, so no function sleeps. A tick says nothing but that it is time to look.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from pilotlight.scaling.history import ArrivalHistory

MINUTE_SECONDS = 60
HOUR_SECONDS = 3600.0
LONGEST_PAUSE_SECONDS = 3
"""Unless people ask for a longer one."""
LOOK_USD = 1.61e-6
"""docs/scaling.md has its parts."""
SECOND_OF_WAIT_SECONDS = 25.0
"""Seconds of an instance that a second of wait is worth, by the target of one second."""
USUAL_USD_AN_HOUR = 0.526
"""Of an instance whose price nobody told: a g4dn.xlarge, EC2's smallest with an NVIDIA GPU."""


class TickSender(Protocol):
    def send_ticks(self, delays_seconds: Sequence[int]) -> None:
        """Sends a tick for each delay, counted from now. Raises TransientError."""
        ...


def pause_seconds(
    watch_seconds: int, history: ArrivalHistory | None, instance_usd_an_hour: float = 0.0
) -> int:
    """Between two looks; never less than `watch_seconds`, and 0 where that is 0: none.

    A job that finds no worker waits half a pause for the next look. With as many jobs an hour as
    the history has, looks and waits together cost least at the square root of twice the price of a
    look over the worth of the waits of a second. A price of 0 is unknown.
    """
    longest = longest_pause_seconds(watch_seconds)
    jobs_an_hour = history.jobs_an_hour if history else 0.0
    if not watch_seconds or not jobs_an_hour:
        return longest
    usd_a_second = (instance_usd_an_hour or USUAL_USD_AN_HOUR) / HOUR_SECONDS
    waits_usd = jobs_an_hour / HOUR_SECONDS * SECOND_OF_WAIT_SECONDS * usd_a_second
    cheapest = round(math.sqrt(2.0 * LOOK_USD / waits_usd))
    return min(longest, max(watch_seconds, cheapest))


def longest_pause_seconds(watch_seconds: int) -> int:
    """Between two looks, whatever comes; 0 for none."""
    return max(watch_seconds, LONGEST_PAUSE_SECONDS) if watch_seconds else 0


def tick_delays_seconds(pause_seconds: int) -> Sequence[int]:
    """When the looks of the minute that begins now are due, after reconcile's own at second 0.

    They do not reach into the next minute: overlap would be paid for each minute, and what it would
    bridge, a reconcile that comes late, costs only as many seconds as it is late.
    """
    return range(pause_seconds, MINUTE_SECONDS, pause_seconds)
