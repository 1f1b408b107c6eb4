"""Jobs that come by the clock: cron, EventBridge schedules, hourly pipelines.

A minute of the hour is due when jobs came in it in each of the last hours, as they come in few
other minutes. Whoever sends each quarter or each ten minutes sends at the same minutes of each
hour, too.
"""

from collections.abc import Mapping

HOUR_MINUTES = 60
CLOCK_HOURS = 4
RARE = 0.1
"""The share of all minutes that may have as many jobs. By chance 60 x 0.1^4 minutes of an hour look
due, one in 160 hours."""

Due = Mapping[int, tuple[int, ...]]
"""What came in a minute in each of the last hours, fewest first, by how many minutes after the
newest known one it comes again: 0 to 59."""


def due_minutes(per_minute: tuple[int, ...]) -> Due:
    """`per_minute`: jobs, the oldest first. Nothing is due before there are CLOCK_HOURS of them."""
    if len(per_minute) < CLOCK_HOURS * HOUR_MINUTES:
        return {}
    busy, rank = sorted(filter(None, per_minute)), int(RARE * len(per_minute))
    usual = busy[-rank - 1] if rank < len(busy) else 0
    newest, *earlier = (_hour(per_minute, ago) for ago in range(CLOCK_HOURS))
    return {
        minute: tuple(sorted((jobs, *(hour[minute] for hour in earlier))))
        for minute, jobs in enumerate(newest)
        if jobs > usual and all(hour[minute] > usual for hour in earlier)
    }


def without_due(per_minute: tuple[int, ...], due: Due) -> tuple[int, ...]:
    """What comes besides: a due minute is as busy as the one before it."""
    besides, before = [], 0
    for minute, jobs in enumerate(per_minute, start=-len(per_minute)):
        if minute % HOUR_MINUTES not in due:
            before = jobs
        besides.append(before)
    return tuple(besides)


def chances_due(jobs: tuple[int, ...]) -> tuple[float, ...]:
    """At index n the chance that n or more come, by what came in some hours: of h hours the largest
    is surpassed once in h + 1 (rule of succession, each rank as likely)."""
    ranks = len(jobs) + 1
    most = max(jobs, default=0)
    at_least = (sum(map(n.__le__, jobs)) / ranks for n in range(1, most + 1))
    return (1.0, *at_least)


def _hour(per_minute: tuple[int, ...], ago: int) -> tuple[int, ...]:
    end = len(per_minute) - ago * HOUR_MINUTES
    return per_minute[end - HOUR_MINUTES : end]
