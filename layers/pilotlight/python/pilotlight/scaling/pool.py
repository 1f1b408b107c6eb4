"""How many instances to keep prepared, running and stopped together, from a week of demand."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pilotlight.errors import InstanceRefreshError


class PoolReason(StrEnum):
    """The closed set; each is logged."""

    DEMAND = "DEMAND"
    AT_MAX = "AT_MAX"
    AT_MIN = "AT_MIN"
    AT_DISK_LIMIT = "AT_DISK_LIMIT"
    NO_CHANGE = "NO_CHANGE"
    TOO_LITTLE_HISTORY = "TOO_LITTLE_HISTORY"
    INSTANCE_REFRESH = "INSTANCE_REFRESH"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPolicy:
    """`confidence` is the share of the week's five minutes that found enough instances prepared.

    `affordable_disks` is what the monthly money for disks buys, None without a limit. It counts
    all prepared instances, since a running one has a disk, too.
    """

    confidence: float = 0.99
    jobs_per_instance: int = 1
    affordable_disks: int | None = None


@dataclass(frozen=True, slots=True)
class PoolDecision:
    """`prepared` is MaxGroupPreparedCapacity: instances of the group and its pool together."""

    prepared: int
    reason: PoolReason


@dataclass(frozen=True, slots=True)
class PoolChange:
    """What was set and what is set now, for the log."""

    before: int
    decision: PoolDecision

    @property
    def is_change(self) -> bool:
        return self.decision.prepared != self.before

    def log_fields(self) -> dict[str, Any]:
        decision = self.decision
        return {
            "prepared": decision.prepared,
            "prepared_before": self.before,
            "reason": decision.reason.value,
        }


LEAST_PEAKS = 288  # a day of five minutes: less may have missed the busy hours
TOLERANCE = 0.1
"""Share by which the pool may be larger than needed: setting instances up again costs minutes."""


class PeaksReader(Protocol):
    def peaks(self) -> tuple[int, ...]:
        """Most jobs waiting and running in each five minutes. Raises TransientError."""
        ...


class PreparedGroup(Protocol):
    def prepared(self) -> int | None:
        """MaxGroupPreparedCapacity; None when it follows the group's MaxSize."""
        ...

    def prepare(self, instances: int) -> None:
        """PutWarmPool, which leaves the pool's other settings as they are.

        Raises InstanceRefreshError during an instance refresh.
        """
        ...


def pool_size(
    peaks: tuple[int, ...], prepared: int, min_size: int, max_size: int, policy: PoolPolicy
) -> PoolDecision:
    """`prepared` is what is set now. Grows at once, shrinks when it is well above the need."""
    if len(peaks) < LEAST_PEAKS:
        return PoolDecision(prepared, PoolReason.TOO_LITTLE_HISTORY)
    jobs = sorted(peaks)[math.ceil(policy.confidence * len(peaks)) - 1]
    wanted = _limit(-(-jobs // policy.jobs_per_instance), min_size, max_size, policy)
    if wanted.prepared <= prepared <= min(max_size, wanted.prepared * (1 + TOLERANCE)):
        is_too_dear = wanted.reason is PoolReason.AT_DISK_LIMIT
        return wanted if is_too_dear else PoolDecision(prepared, PoolReason.NO_CHANGE)
    return wanted


def _limit(instances: int, min_size: int, max_size: int, policy: PoolPolicy) -> PoolDecision:
    """The group's bounds come last: a running instance is prepared, whatever its disk costs."""
    reason = PoolReason.DEMAND
    if policy.affordable_disks is not None and instances > policy.affordable_disks:
        instances, reason = policy.affordable_disks, PoolReason.AT_DISK_LIMIT
    if instances > max_size:
        return PoolDecision(max_size, PoolReason.AT_MAX)
    if instances < min_size:
        return PoolDecision(min_size, PoolReason.AT_MIN)
    return PoolDecision(instances, reason)


def size_pool(
    group: PreparedGroup, peaks: PeaksReader, min_size: int, max_size: int, policy: PoolPolicy
) -> PoolChange:
    """DescribeWarmPool each time, PutWarmPool for a change. Raises TransientError.

    An instance refresh, during which AWS refuses the change, is waited for.
    """
    set_now = group.prepared()
    before = max_size if set_now is None else set_now
    change = PoolChange(before, pool_size(peaks.peaks(), before, min_size, max_size, policy))
    if change.is_change:
        try:
            group.prepare(change.decision.prepared)
        except InstanceRefreshError:
            return PoolChange(before, PoolDecision(before, PoolReason.INSTANCE_REFRESH))
    return change
