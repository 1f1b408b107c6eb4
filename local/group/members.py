"""Who is in the group and who in its pool, indexed by what they count as: how many there are is
known, and whoever asks for a state goes through those that count alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from local.group.instance import Instance
from local.group.sizing import Census
from local.group.states import (
    GROUP_ACTIVE,
    GROUP_LEAVING,
    POOL_ACTIVE,
    POOL_LEAVING,
    POOL_SETTLED,
    LifecycleState,
)

# What a member counts as; several states share one. Numbers, since a member of an enumeration is
# looked up at each use, and these are used at each step of each instance.
_LAUNCHING, _SERVING, _LEAVING, _POOLING, _SETTLED, _LEAVING_POOL, _GONE = range(7)
_ROLES = dict.fromkeys(LifecycleState, _GONE) | {
    **dict.fromkeys(GROUP_ACTIVE, _LAUNCHING),
    LifecycleState.IN_SERVICE: _SERVING,
    **dict.fromkeys(GROUP_LEAVING, _LEAVING),
    **dict.fromkeys(POOL_ACTIVE, _POOLING),
    **dict.fromkeys(POOL_SETTLED, _SETTLED),
    **dict.fromkeys(POOL_LEAVING, _LEAVING_POOL),
}


class Members:
    """Every instance of a group under what it counts as, in the order in which they came to it."""

    def __init__(self) -> None:
        self._by_id: dict[str, Instance] = {}
        self._by_role: list[dict[str, Instance]] = [{} for _ in range(_GONE + 1)]
        self._counts_in_zone: dict[str, list[int]] = defaultdict(lambda: [0] * (_GONE + 1))
        self._removable: dict[str, Instance] = {}
        self._settled_in_zone: dict[str, dict[str, Instance]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._by_id.values())

    def get(self, instance_id: str) -> Instance | None:
        return self._by_id.get(instance_id)

    def add(self, instance: Instance) -> None:
        self._by_id[instance.instance_id] = instance
        self._enter(instance, _ROLES[instance.state])

    def move(self, instance: Instance, state: LifecycleState) -> None:
        before, after = _ROLES[instance.state], _ROLES[state]
        instance.state = state
        if before != after:
            self._leave(instance, before)
            self._enter(instance, after)

    def remove(self, instance: Instance) -> None:
        self._leave(instance, _ROLES[instance.state])
        del self._by_id[instance.instance_id]

    def protect(self, instance: Instance, protected: bool) -> None:
        instance.protected = protected
        if protected:
            self._removable.pop(instance.instance_id, None)
        elif _ROLES[instance.state] == _SERVING:
            self._removable.setdefault(instance.instance_id, instance)

    def count(self, states: Iterable[LifecycleState]) -> int:
        return len(self.within(states))

    def within(self, states: Iterable[LifecycleState]) -> list[Instance]:
        return [
            instance
            for state in states
            for instance in self._by_role[_ROLES[state]].values()
            if instance.state is state
        ]

    def census(self) -> Census:
        launching, serving, leaving, pooling, settled, _, _ = map(len, self._by_role)
        active = launching + serving
        return Census(
            group_active=active,
            group_total=active + leaving,
            in_service=serving,
            removable=len(self._removable),
            pool_active=pooling + settled,
            pool_settled=settled,
        )

    @property
    def launching(self) -> int:
        """On their way into the group."""
        return len(self._by_role[_LAUNCHING])

    @property
    def in_service(self) -> int:
        return len(self._by_role[_SERVING])

    @property
    def group_active(self) -> int:
        return len(self._by_role[_LAUNCHING]) + len(self._by_role[_SERVING])

    @property
    def group_total(self) -> int:
        return self.group_active + len(self._by_role[_LEAVING])

    @property
    def pool_active(self) -> int:
        return len(self._by_role[_POOLING]) + len(self._by_role[_SETTLED])

    @property
    def pool_total(self) -> int:
        return self.pool_active + len(self._by_role[_LEAVING_POOL])

    @property
    def pool_settled(self) -> int:
        return len(self._by_role[_SETTLED])

    @property
    def removable(self) -> Mapping[str, Instance]:
        """In service and not protected from scale-in."""
        return self._removable

    def next_to_wake(self) -> Instance | None:
        """The member longest at rest in the pool, of the zone where the group has the fewest."""
        in_zone = self._settled_in_zone
        zones = [(self.active_in_zone(zone), zone) for zone, settled in in_zone.items() if settled]
        if not zones:
            return None
        _, zone = min(zones)
        return next(iter(in_zone[zone].values()))

    def active_in_zone(self, zone: str) -> int:
        """Launching and serving members of the group."""
        counts = self._counts_in_zone[zone]
        return counts[_LAUNCHING] + counts[_SERVING]

    def pooled_in_zone(self, zone: str) -> int:
        counts = self._counts_in_zone[zone]
        return counts[_POOLING] + counts[_SETTLED] + counts[_LEAVING_POOL]

    def _enter(self, instance: Instance, role: int) -> None:
        self._by_role[role][instance.instance_id] = instance
        self._counts_in_zone[instance.zone][role] += 1
        if role == _SETTLED:
            settled = self._settled_in_zone.setdefault(instance.zone, {})
            settled[instance.instance_id] = instance
        elif role == _SERVING and not instance.protected:
            self._removable[instance.instance_id] = instance

    def _leave(self, instance: Instance, role: int) -> None:
        del self._by_role[role][instance.instance_id]
        self._counts_in_zone[instance.zone][role] -= 1
        if role == _SETTLED:
            del self._settled_in_zone[instance.zone][instance.instance_id]
        elif role == _SERVING:
            self._removable.pop(instance.instance_id, None)
