"""Sizes by time of the week, in a small language: the last period that matches wins.

    mon-fri 08:00-18:00 Europe/Berlin min=2 spare=1; sat,sun 00:00-24:00 UTC spare=0

A period gives days, hours, time zone and one or both of `min` (instances) and `spare` (workers
without a job). It begins on its days; one whose end is not after its begin lasts into the next day.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilotlight.errors import PilotlightError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_PERIOD = re.compile(
    r"(?P<days>[a-z,-]+) (?P<begin>\d\d:\d\d)-(?P<end>\d\d:\d\d) (?P<zone>[\w/+-]+)"
    r"(?: min=(?P<min>\d{1,4}))?(?: spare=(?P<spare>\d{1,4}))?",
    re.ASCII,
)


class ScheduleError(PilotlightError):
    """A period cannot be read; the message names it and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Instances that run at least, and workers without a job."""

    least_capacity: int = 0
    least_spare: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """`begin` and `end` are minutes of the day, end up to 1,440; days are 0 (Monday) to 6."""

    days: frozenset[int]
    begin: int
    end: int
    zone: ZoneInfo
    sizes: Sizes

    def holds(self, now: datetime) -> bool:
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        if self.end > self.begin:
            return local.weekday() in self.days and self.begin <= minute < self.end
        if minute >= self.begin:
            return local.weekday() in self.days
        return minute < self.end and (local - timedelta(days=1)).weekday() in self.days


@dataclass(frozen=True, slots=True)
class Schedule:
    periods: tuple[Period, ...] = ()

    def sizes(self, now: datetime) -> Sizes:
        """`now` knows its time zone."""
        matching = [period.sizes for period in self.periods if period.holds(now)]
        return matching[-1] if matching else Sizes()


def read_schedule(text: str) -> Schedule:
    """An empty text is no schedule. Raises ScheduleError."""
    parts = [part.strip() for part in text.split(";")]
    return Schedule(tuple(_period(part) for part in parts if part))


def _period(text: str) -> Period:
    found = _PERIOD.fullmatch(" ".join(text.split()))
    if not found or (found["min"] is None and found["spare"] is None):
        raise ScheduleError(
            f"{text!r} is no period: expected days, hours, time zone and sizes, such as "
            "'mon-fri 08:00-18:00 Europe/Berlin min=2 spare=1'"
        )
    return Period(
        days=_days(found["days"], text),
        begin=_minute(found["begin"], text),
        end=_minute(found["end"], text),
        zone=_zone(found["zone"], text),
        sizes=Sizes(least_capacity=int(found["min"] or 0), least_spare=int(found["spare"] or 0)),
    )


def _days(text: str, period: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ScheduleError(
                f"{period!r}: {part!r} is not a day or a range of {', '.join(DAYS)}"
            )
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days.update(day % 7 for day in range(begin, end + 1 if end >= begin else end + 8))
    return frozenset(days)


def _minute(text: str, period: str) -> int:
    if text == "24:00":
        return DAY_MINUTES
    try:
        moment = time.fromisoformat(text)
    except ValueError as error:
        raise ScheduleError(f"{period!r}: {text} is no time from 00:00 to 24:00") from error
    return moment.hour * 60 + moment.minute


def _zone(name: str, period: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleError(
            f"{period!r}: {name!r} is no time zone; use a name such as UTC or Europe/Berlin"
        ) from error
