"""What sleeps is woken while the breaker is open, and nothing new is launched.

Auto Scaling wakes by the process that launches, so launching is resumed for as long as something
that sleeps is wanted. Before that, less is made to be wanted: a desired capacity of what works and
what sleeps, and a pool of what there is, so that Auto Scaling finds nothing missing but the wakes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pilotlight.fleet.breaker_state import BreakerState
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.states import is_active
from pilotlight.fleet.trial import Census, PoolSizes


class WakingGroup(Protocol):
    """The group, as far as waking goes. All raise TransientError when throttled."""

    def warm_pool(self) -> Iterable[Member]:
        """DescribeWarmPool, 50 a page."""
        ...

    def suspend(self, process: str) -> None: ...

    def resume(self, process: str) -> None: ...

    def resize_pool(self, sizes: PoolSizes) -> None:
        """PutWarmPool. Raises InstanceRefreshError during an instance refresh."""
        ...


class WakeStep(StrEnum):
    """The closed set of what a look does about launching; each but NONE is logged and counted.

    `HOLD` is a wake that has to wait: while an instance refresh runs AWS refuses to bound the pool,
    and whatever the pool lacks would be launched along with the wake.
    """

    NONE = "NONE"
    WAKE = "WAKE"
    REST = "REST"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Waking:
    """`pool` is what to make of the pool before launching is resumed."""

    step: WakeStep = WakeStep.NONE
    pool: PoolSizes | None = None


NO_WAKING = Waking()


def may_concern(group: Group, capacity: int) -> bool:
    """Whether the pool must be looked at: by what is described alone, since most looks need not."""
    if group.is_being_deleted or not BreakerState.of(group).holds_launch:
        return False
    active = sum(is_active(it.lifecycle_state) for it in group.members)
    return group.can_launch or (capacity > active and group.warm_pool_size > 0)


def largest_capacity(group: Group, there: Census | None = None) -> int:
    """MaxSize; less while the breaker lets one instance be set up for trial.

    While launching is held and something sleeps, no more than that and what works. What nothing
    could be woken for may be desired: it is how the breaker knows what a trial is wanted for.
    """
    state = BreakerState.of(group)
    largest = min(group.max_size, state.largest_capacity) if state.is_small else group.max_size
    if there is None or not there.resting:
        return largest
    return min(largest, max(group.min_size, there.active + there.resting))


def decide_waking(group: Group, there: Census, capacity: int) -> Waking:
    """`capacity` is what will be desired. Every step is safe to repeat."""
    if capacity > there.active and there.resting:
        if group.can_launch:
            return NO_WAKING
        return Waking(WakeStep.WAKE, PoolSizes(0, there.active + there.pooled))
    return Waking(WakeStep.REST) if group.can_launch else NO_WAKING
