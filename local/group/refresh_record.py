"""What an instance refresh is asked, how far it is, and what it may do at one moment.

User guide, instance-refresh-overview and understand-instance-refresh-default-values; API reference,
RefreshPreferences and InstanceRefresh. Not here: checkpoints, alarms, bake time, rollback, and the
strategy ReplaceRootVolume. Nobody is ever in Standby in this model, so whatever StandbyInstances
asks holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from local.group.errors import ValidationError
from local.group.instance import Instance, Launched

WIDEST_RANGE_PERCENT = 100
"""Between the two healthy percentages (API reference, RefreshPreferences)."""


class RefreshStatus(StrEnum):
    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"


class ScaleInProtected(StrEnum):
    """What becomes of instances that are protected from scale-in: ScaleInProtectedInstances."""

    REFRESH = "Refresh"
    IGNORE = "Ignore"
    WAIT = "Wait"


@dataclass(frozen=True, slots=True)
class RefreshPreferences:
    """`max_healthy_percentage` of None is not 100: then an instance is terminated and its
    replacement launched at the same time."""

    min_healthy_percentage: int = 90
    max_healthy_percentage: int | None = None
    instance_warmup_seconds: int = 0
    scale_in_protected: ScaleInProtected = ScaleInProtected.WAIT

    def __post_init__(self) -> None:
        most = self.max_healthy_percentage
        if most is not None and most - self.min_healthy_percentage > WIDEST_RANGE_PERCENT:
            raise ValidationError(
                "The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be "
                f"greater than {WIDEST_RANGE_PERCENT}."
            )


class Progress(NamedTuple):
    percentage_complete: int = 0
    instances_to_update: int = 0


@dataclass(slots=True, eq=False)
class InstanceRefresh:
    """One row of DescribeInstanceRefreshes; times are epoch seconds.

    `outdated` are those to replace, by id, fixed when it starts: what is launched later comes from
    what it was started for. `ended` is told when it is over, however that came about.
    """

    refresh_id: str
    preferences: RefreshPreferences
    start_time: float
    outdated: frozenset[str]
    live_total: int
    pool_total: int
    ended: Callable[[InstanceRefresh], None]
    status: RefreshStatus = RefreshStatus.PENDING
    status_reason: str | None = None
    end_time: float | None = None
    progressed_at: float = field(init=False)
    least_outdated: int = field(init=False)
    most_ready: int = 0
    live: Progress = field(init=False)
    pool: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progressed_at = self.start_time
        self.least_outdated = len(self.outdated)
        self.live = Progress(0, self.live_total)
        self.pool = Progress(0, self.pool_total)

    @property
    def progress(self) -> Progress:
        """Of group and pool together."""
        total = self.live_total + self.pool_total
        return progress(total, self.live.instances_to_update + self.pool.instances_to_update)


Skips = Callable[[Launched], bool]
"""Whether an instance may stay as it is, as SkipMatching lets what would be launched the same."""


class Place(NamedTuple):
    """The group, or its pool: how many it should have, how many it has that are ready, how many
    are to replace, and those of them that may be taken out."""

    size: int
    ready: int
    outdated: int
    free: tuple[Instance, ...]

    @property
    def to_update(self) -> int:
        """Those to replace, and the replacements that are not ready yet."""
        return self.outdated + max(0, self.size - self.ready)

    @property
    def is_done(self) -> bool:
        return not self.to_update


class Step(NamedTuple):
    """Whom to take out now, and how many more than the size there should be meanwhile."""

    take: tuple[Instance, ...]
    ahead: int


def next_step(place: Place, preferences: RefreshPreferences) -> Step:
    """As many at once as both percentages allow; they count for group and pool on their own (user
    guide, instance-maintenance-policy-overview-and-considerations).

    MaxSize is no bound of it: AWS names none but the percentage.
    """
    below, above = allowances(place.size, preferences)
    spare = max(0, place.ready - (place.size - below))
    take = place.free[:spare]
    return Step(take, min(above, place.outdated - len(take), place.size))


def allowances(size: int, preferences: RefreshPreferences) -> tuple[int, int]:
    """How many below and above the size there may be while instances are replaced.

    Where no whole instance fits between the percentages one is launched before another leaves, but
    with no maximum given, and less than 100 percent to stay, one leaves while another is launched.
    """
    below = size - math.ceil(size * preferences.min_healthy_percentage / 100)
    most = preferences.max_healthy_percentage
    if most is None and preferences.min_healthy_percentage < 100:
        return max(1, below), 0
    above = 0 if most is None else size * most // 100 - size
    return below, above if below or above else 1


def progress(total: int, to_update: int) -> Progress:
    """Of `total` instances so many are left; all of none are updated from the beginning."""
    left = min(total, to_update)
    return Progress(100 * (total - left) // total if total else 100, left)
