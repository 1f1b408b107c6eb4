"""Scaling activities: what the group did, when, why, and how it ended."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from local.group.settings import Placement

IN_PROGRESS = "InProgress"
SUCCESSFUL = "Successful"
FAILED = "Failed"
CANCELLED = "Cancelled"
# Recorded from the live service; the second one is missing in the API's own enumeration.
MID_LAUNCH = ("MidLifecycleAction", 40)
MID_TERMINATION = ("MidTerminatingLifecycleAction", 60)

KEPT_ACTIVITIES = 10_000
"""AWS keeps six weeks of them; here the newest ones are kept, by number."""


def timestamp(when: float) -> str:
    """Epoch seconds as AWS writes them in causes and events: whole seconds, UTC."""
    return _whole_second(math.floor(when))


@lru_cache(maxsize=256)  # one change of a group has the same second in many sentences
def _whole_second(when: int) -> str:
    day, second = divmod(when, 86_400)
    return f"{_day(day)}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@lru_cache(maxsize=8)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%d")


class Cause(NamedTuple):
    """What happened at `when` (epoch seconds), after what came `before`. `text` has {} for each
    value, and {at} where the moment is named again.

    It is put into words only where somebody reads it: virtual time rarely does.
    """

    when: float
    text: str
    values: tuple[object, ...]
    before: Cause | None = None

    def __str__(self) -> str:
        at = f"At {timestamp(self.when)}"
        last = f"{at} {self.text.format(*self.values, at=at)}"
        return f"{self.before}  {last}" if self.before else last


@dataclass(slots=True, eq=False)
class Activity:
    """One row of DescribeScalingActivities; times are epoch seconds, `progress` is percent."""

    activity_id: str
    description: str
    because: Cause
    start_time: float
    placement: Placement | None = None
    status_code: str = IN_PROGRESS
    progress: int = 0
    status_message: str = ""
    end_time: float | None = None

    @property
    def cause(self) -> str:
        return str(self.because)

    def pass_to(self, status: tuple[str, int]) -> None:
        self.status_code, self.progress = status


class ActivityLog:
    """The newest activities, so many of them, and how many are under way."""

    def __init__(self, kept: int) -> None:
        self._kept: deque[Activity] = deque(maxlen=kept)
        self.in_progress = 0
        self.last_end: float | None = None

    def begin(self, activity: Activity) -> Activity:
        self._kept.append(activity)
        self.in_progress += 1
        return activity

    def end(self, activity: Activity, status_code: str, when: float, message: str = "") -> None:
        """Close it; a second end of the same activity is ignored, the first one counts."""
        if activity.end_time is not None:
            return
        activity.status_code = status_code
        activity.status_message = message
        activity.progress = 100
        activity.end_time = self.last_end = when
        self.in_progress -= 1

    def newest_first(self) -> Iterable[Activity]:
        return reversed(self._kept)
