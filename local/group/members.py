"""Who is in the group and who in its pool, indexed so that no question needs a scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from local.group.instance import Instance
from local.group.states import (
    GROUP_ACTIVE,
    GROUP_LEAVING,
    POOL_ACTIVE,
    POOL_LEAVING,
    POOL_SETTLED,
    LifecycleState,
    is_warm,
)

_ACTIVE = frozenset(GROUP_ACTIVE)
_SETTLED = frozenset(POOL_SETTLED)


class Members:
    """Every instance of a group under exactly one state; insertion order within a state."""

    def __init__(self) -> None:
        self._by_id: dict[str, Instance] = {}
        self._by_state: dict[LifecycleState, dict[str, Instance]] = {
            state: {} for state in LifecycleState
        }
        self._removable: dict[str, Instance] = {}
        self._active_in_zone: Counter[str] = Counter()
        self._pooled_in_zone: Counter[str] = Counter()
        self._settled_in_zone: dict[str, dict[str, Instance]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._by_id.values())

    def get(self, instance_id: str) -> Instance | None:
        return self._by_id.get(instance_id)

    def add(self, instance: Instance) -> None:
        self._by_id[instance.instance_id] = instance
        self._enter(instance)

    def move(self, instance: Instance, state: LifecycleState) -> None:
        self._leave(instance)
        instance.state = state
        self._enter(instance)

    def remove(self, instance: Instance) -> None:
        self._leave(instance)
        del self._by_id[instance.instance_id]

    def protect(self, instance: Instance, protected: bool) -> None:
        if instance.protected == protected:
            return
        self._leave(instance)
        instance.protected = protected
        self._enter(instance)

    def count(self, states: Iterable[LifecycleState]) -> int:
        return sum(map(len, map(self._by_state.__getitem__, states)))

    def within(self, states: Iterable[LifecycleState]) -> list[Instance]:
        return [instance for state in states for instance in self._by_state[state].values()]

    @property
    def group_active(self) -> int:
        return self.count(GROUP_ACTIVE)

    @property
    def group_total(self) -> int:
        return self.group_active + self.count(GROUP_LEAVING)

    @property
    def pool_active(self) -> int:
        return self.count(POOL_ACTIVE)

    @property
    def pool_total(self) -> int:
        return self.pool_active + self.count(POOL_LEAVING)

    @property
    def pool_settled(self) -> int:
        return self.count(POOL_SETTLED)

    @property
    def removable(self) -> Mapping[str, Instance]:
        """In service and not protected from scale-in."""
        return self._removable

    def next_to_wake(self) -> Instance | None:
        """The member longest at rest in the pool, of the zone where the group has the fewest."""
        zones = [zone for zone, settled in self._settled_in_zone.items() if settled]
        if not zones:
            return None
        zone = min(sorted(zones), key=self.active_in_zone)
        return next(iter(self._settled_in_zone[zone].values()))

    def active_in_zone(self, zone: str) -> int:
        """Launching and serving members of the group."""
        return self._active_in_zone[zone]

    def pooled_in_zone(self, zone: str) -> int:
        return self._pooled_in_zone[zone]

    def _enter(self, instance: Instance) -> None:
        state = instance.state
        self._by_state[state][instance.instance_id] = instance
        if state in _ACTIVE:
            self._active_in_zone[instance.zone] += 1
        elif is_warm(state):
            self._pooled_in_zone[instance.zone] += 1
        if state in _SETTLED:
            settled = self._settled_in_zone.setdefault(instance.zone, {})
            settled[instance.instance_id] = instance
        if state is LifecycleState.IN_SERVICE and not instance.protected:
            self._removable[instance.instance_id] = instance

    def _leave(self, instance: Instance) -> None:
        state = instance.state
        del self._by_state[state][instance.instance_id]
        if state in _ACTIVE:
            self._active_in_zone[instance.zone] -= 1
        elif is_warm(state):
            self._pooled_in_zone[instance.zone] -= 1
        if state in _SETTLED:
            del self._settled_in_zone[instance.zone][instance.instance_id]
        self._removable.pop(instance.instance_id, None)
