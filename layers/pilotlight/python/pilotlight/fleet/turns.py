"""Whose turn it is, where more instances wait than one pass sees to."""

import math
from collections.abc import Iterable
from datetime import datetime

from pilotlight.fleet.waits import Wait

# What one pass looks at, so that it ends within the function's time.
MAX_WAITS_PER_PASS = 100
# Of these, what wakes leave to the others at least, so that none keeps them waiting for ever.
MIN_OTHERS_PER_PASS = 25
# By how much of the circle of all that wait the beginning moves on each minute. Steps of the
# golden ratio leave no gap of more than twice the mean (three-gap theorem), whatever their number
# is; steps of a hundred would skip some again and again as soon as the circle changes its size.
STEP = (math.sqrt(5) - 1) / 2


def in_turns(waits: Iterable[Wait], now: datetime) -> list[Wait]:
    """All of them, in the order in which one pass looks at them.

    Wakes are first: a job waits for each. Those of a kind begin elsewhere each minute, so that of n
    each is among the first k at least once in 2n/k minutes, whatever else comes and goes.
    """
    waits = list(waits)
    wakes = _turned([wait for wait in waits if wait.is_wake], now)
    others = _turned([wait for wait in waits if not wait.is_wake], now)
    most = MAX_WAITS_PER_PASS - MIN_OTHERS_PER_PASS
    return [
        *wakes[:most],
        *others[:MIN_OTHERS_PER_PASS],
        *wakes[most:],
        *others[MIN_OTHERS_PER_PASS:],
    ]


def _turned(waits: list[Wait], now: datetime) -> list[Wait]:
    """By instance: the ids are random, so nobody's place moves with what comes and goes."""
    circle = sorted(waits, key=lambda wait: wait.instance_id)
    begin = int(now.timestamp() // 60 * STEP % 1 * len(circle))
    return circle[begin:] + circle[:begin]
