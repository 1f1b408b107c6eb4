"""How long AWS takes for what an Auto Scaling group does, one table.

"Recorded" is a published recording of the live service: us-east-1, t3.nano, Amazon Linux 2023,
Stopped pool, 2026-09-27 (radkawar/stackd, warm_pool_lifecycle_native.json). "Chosen" is not
published by AWS: a modest value that the rest of the system must not rest on.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

Latency = Callable[["Delay"], float]
"""Draws the seconds that a delay takes this time."""


class Delay(StrEnum):
    GROUP_DECISION = "a change of the group -> its first activity begins"
    POOL_DECISION = "PutWarmPool -> its first activity begins"
    REPLACEMENT = "a member is gone or lost -> the activity that makes up for it"
    HOOK_BEGINS = "EC2 says running, or the instance is to leave -> lifecycle action"
    ENTERS_SERVICE = "launch action completed -> InService"
    STOP_BEGINS = "pool-entry action completed -> EC2 stopping"
    SETTLES = "EC2 stopped -> Warmed:Stopped"
    HEALTH_CHECK = "instance lost in EC2 -> seen as unhealthy"
    REFRESH_LOOK = "instance refresh: one look -> the next"
    FIRST_BACKOFF = "launches keep failing -> the next one, at first"
    LONGEST_BACKOFF = "launches keep failing -> the next one, at most"
    FIRST_START = "EC2: launch -> running"
    START = "EC2: start of a stopped instance -> running"
    STOP = "EC2: stopping -> stopped"
    TERMINATION = "EC2: shutting-down -> terminated"


_SECONDS: dict[Delay, float] = {
    Delay.GROUP_DECISION: 5.6,  # recorded: 11:21:57 -> 11:22:02.6
    Delay.POOL_DECISION: 12.0,  # recorded: 11:20:16 -> 11:20:28
    Delay.REPLACEMENT: 5.6,  # chosen: as GROUP_DECISION
    Delay.HOOK_BEGINS: 1.0,  # recorded: running <= 11:22:09 -> event 11:22:10
    Delay.ENTERS_SERVICE: 1.0,  # recorded: 11:22:33 -> 11:22:34
    Delay.STOP_BEGINS: 8.0,  # recorded: 11:21:20 -> 11:21:28
    Delay.SETTLES: 14.5,  # recorded: 11:21:39 -> 11:21:53.5
    Delay.HEALTH_CHECK: 30.0,  # chosen: user guide says "immediately", for a pool "few minutes"
    Delay.REFRESH_LOOK: 5.0,  # chosen
    Delay.FIRST_BACKOFF: 30.0,  # chosen
    Delay.LONGEST_BACKOFF: 900.0,  # chosen
    Delay.FIRST_START: 5.0,  # recorded: 11:20:28 -> 11:20:33
    Delay.START: 6.5,  # recorded: 11:22:02.6 -> 11:22:09
    Delay.STOP: 11.0,  # recorded: 11:21:28 -> 11:21:39
    Delay.TERMINATION: 20.0,  # chosen
}


def published(speed: float = 1.0) -> Latency:
    """The table as it stands, every value divided by `speed` (more than 0)."""
    if speed <= 0:
        raise ValueError(f"speed is {speed}: it divides durations and must be more than 0")
    seconds = {delay: value / speed for delay, value in _SECONDS.items()}
    return seconds.__getitem__
