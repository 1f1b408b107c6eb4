"""How small a group must want to be so that it launches one instance, and wakes as many as rest.

Auto Scaling launches all that is wanted at once, and offers no way to ask for one of them. What is
wanted is the desired capacity and the size of the pool, so both are held down for the trial.
"""

from dataclasses import dataclass
from typing import Self

from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.states import is_active, is_in_pool, rests_in_pool


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """PutWarmPool's MinSize and MaxGroupPreparedCapacity; None: the group's MaxSize."""

    min_size: int
    prepared: int | None

    def target(self, group: Group, desired: int) -> int:
        """WarmPoolDesiredCapacity (AWS user guide, ec2-auto-scaling-metrics)."""
        prepared = group.max_size if self.prepared is None else self.prepared
        return max(self.min_size, prepared - desired)


@dataclass(frozen=True, slots=True)
class Census:
    """Instances that count as capacity of the group, as the pool's, and that could be woken."""

    active: int
    pooled: int
    resting: int

    @classmethod
    def of(cls, group: Group, warm: tuple[Member, ...]) -> Self:
        return cls(
            active=sum(is_active(it.lifecycle_state) for it in group.members),
            pooled=sum(is_in_pool(it.lifecycle_state) for it in warm),
            resting=sum(rests_in_pool(it.lifecycle_state) for it in warm),
        )


def is_held_back(group: Group, there: Census, pool: PoolSizes) -> bool:
    """Whether group or pool would launch or wake an instance if they could."""
    more_in_group = group.desired_capacity > there.active
    return more_in_group or pool.target(group, group.desired_capacity) > there.pooled


def trial_capacity(group: Group, there: Census) -> int:
    """The largest desired capacity: all that can be woken, and one more if jobs wait for it.

    Nothing goes below MinSize, so a group that lacks several instances to it tries all of those.
    """
    known = there.active + there.resting
    return max(group.min_size, known + _wants_cold_launch(group, there))


def trial_pool(group: Group, there: Census, pool: PoolSizes) -> PoolSizes:
    """Room for one instance more than there are, and never for more than `pool` has."""
    desired = group.desired_capacity
    one_more = min(there.active, desired) + there.pooled + 1
    return PoolSizes(0, min(one_more, desired + pool.target(group, desired)))


def _wants_cold_launch(group: Group, there: Census) -> bool:
    return group.desired_capacity > there.active + there.resting
