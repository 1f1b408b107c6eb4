"""Whatever people, EC2 and time do to a group in whatever order, some things always hold."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from local.group.clock import VirtualClock
from local.group.errors import AutoScalingError
from local.group.events import GroupEvent
from local.group.group import Group
from local.group.instance import Instance, Machine
from local.group.latency import published
from local.group.ports import World
from local.group.settings import ABANDON, CONTINUE, GroupSettings, Hook, Placement, WarmPool
from local.group.states import (
    GROUP_ACTIVE,
    GROUP_LEAVING,
    POOL_ACTIVE,
    POOL_LEAVING,
    POOL_SETTLED,
    HookKind,
    LifecycleState,
    PoolState,
)
from local.group.virtual_machines import VirtualMachines

MAX_SIZE = 6
ZONES = ("a", "b", "c")
PLACEMENTS = tuple(Placement(zone, f"{zone}-id", f"subnet-{zone}") for zone in ZONES)
HOOKS = (
    Hook("ready", HookKind.LAUNCHING),
    Hook("registered", HookKind.LAUNCHING, default_result=CONTINUE),
    Hook("drain", HookKind.TERMINATING, default_result=CONTINUE),
)


class Sink:
    """Hears events and hands out tokens."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self._numbers = count()

    def token(self) -> str:
        return f"{next(self._numbers):036d}"

    def publish(self, event: GroupEvent) -> None:
        if event.hook is not None:
            self.tokens.append(event.detail["LifecycleActionToken"])

    def target_state(self, instance_id: str, state: str | None) -> None:
        return None

    def group_gone(self, name: str) -> None:
        return None


class LifeOfAGroup(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(1_760_000_000.0)
        self.machines = VirtualMachines(self.clock, published(), lambda: self.group.ec2)
        self.sink = Sink()
        world = World(self.clock, self.machines, self.sink, self.sink, published())
        arn = "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:1:autoScalingGroupName/g"
        self.group = Group("g", arn, GroupSettings(0, MAX_SIZE, PLACEMENTS), world, 1, HOOKS)

    # What people do

    @rule(capacity=st.integers(0, MAX_SIZE))
    def set_desired(self, capacity: int) -> None:
        self.group.set_desired_capacity(capacity)

    @rule(
        min_size=st.integers(0, 2),
        prepared=st.none() | st.integers(0, MAX_SIZE),
        state=st.sampled_from(PoolState),
        reuse=st.booleans(),
    )
    def put_pool(self, min_size: int, prepared: int | None, state: PoolState, reuse: bool) -> None:
        self.tolerantly(
            lambda: self.group.put_warm_pool(WarmPool(min_size, prepared, state, reuse))
        )

    @rule(force=st.booleans())
    def delete_pool(self, force: bool) -> None:
        self.tolerantly(lambda: self.group.delete_warm_pool(force))

    @rule(process=st.sampled_from(["Launch", "Terminate", "ReplaceUnhealthy", "HealthCheck"]))
    def suspend(self, process: str) -> None:
        self.group.suspend((process,))

    @rule()
    def resume(self) -> None:
        self.group.resume(())

    @rule(data=st.data(), result=st.sampled_from([CONTINUE, CONTINUE, CONTINUE, ABANDON]))
    def complete(self, data: st.DataObject, result: str) -> None:
        actions = self.open_actions()
        if actions:
            action = data.draw(st.sampled_from(actions))
            self.group.journeys.actions.complete(action.hook.name, result, action.token, None)

    @rule(data=st.data(), protected=st.booleans())
    def protect(self, data: st.DataObject, protected: bool) -> None:
        if instance := self.drawn(data):
            self.tolerantly(
                lambda: self.group.set_instance_protection([instance.instance_id], protected)
            )

    @rule(data=st.data())
    def call_unhealthy(self, data: st.DataObject) -> None:
        if instance := self.drawn(data):
            self.group.set_instance_health(instance.instance_id, False, False)

    @rule(data=st.data(), decrement=st.booleans())
    def terminate(self, data: st.DataObject, decrement: bool) -> None:
        if instance := self.drawn(data):
            self.tolerantly(lambda: self.group.terminate_instance(instance.instance_id, decrement))

    # What EC2 and time do

    @rule(data=st.data(), machine=st.sampled_from([Machine.STOPPED, Machine.TERMINATED]))
    def lose(self, data: st.DataObject, machine: Machine) -> None:
        instance = self.drawn(data)
        if instance and self.machines.states[instance.instance_id] is not Machine.TERMINATED:
            self.machines.lose(instance.instance_id, machine)

    @rule(zones=st.sets(st.sampled_from(ZONES)))
    def run_out_of_capacity(self, zones: set[str]) -> None:
        self.machines.without_capacity = zones

    @rule(seconds=st.sampled_from([1, 6, 15, 40, 4000]))
    def pass_seconds(self, seconds: int) -> None:
        self.clock.advance(seconds)

    # What always holds

    @invariant()
    def every_member_is_counted_once(self) -> None:
        members = self.group.members
        everywhere = (*GROUP_ACTIVE, *GROUP_LEAVING, *POOL_ACTIVE, *POOL_LEAVING)
        assert members.count(everywhere) == len(members)
        for state in LifecycleState:
            recount = sorted(i.instance_id for i in members if i.state is state)
            assert sorted(i.instance_id for i in members.within((state,))) == recount

    @invariant()
    def indexes_equal_a_recount(self) -> None:
        members = self.group.members
        removable = {
            i.instance_id
            for i in members
            if i.state is LifecycleState.IN_SERVICE and not i.protected
        }
        assert set(members.removable) == removable
        for zone in ZONES:
            active = [i for i in members if i.zone == zone and i.state in GROUP_ACTIVE]
            assert members.active_in_zone(zone) == len(active)
        settled = [i for i in members if i.state in POOL_SETTLED]
        assert (members.next_to_wake() is None) == (not settled)

    @invariant()
    def the_group_is_never_above_max(self) -> None:
        assert self.group.members.group_active <= MAX_SIZE

    @invariant()
    def only_waiting_instances_have_open_actions(self) -> None:
        for instance in self.group.members:
            waits = instance.state is instance.transition.wait
            assert bool(self.group.journeys.actions.of(instance.instance_id)) == waits

    @invariant()
    def no_token_is_used_twice(self) -> None:
        assert len(self.sink.tokens) == len(set(self.sink.tokens))

    def teardown(self) -> None:
        """Left alone with working machines and hooks, the group rests where it should."""
        self.machines.without_capacity = set()
        self.group.resume(())
        for instance in self.group.members.within((LifecycleState.IN_SERVICE,)):
            self.group.set_instance_protection([instance.instance_id], False)
        for _ in range(200):
            for action in self.open_actions():
                self.group.journeys.actions.complete(action.hook.name, CONTINUE, action.token, None)
            self.clock.advance(20)
        members = self.group.members
        assert members.count((LifecycleState.IN_SERVICE,)) == self.group.desired_capacity
        assert members.pool_settled == self.group.pool_target
        assert len(members) == self.group.desired_capacity + self.group.pool_target
        assert self.group.records.log.in_progress == 0

    def open_actions(self) -> list[Any]:
        actions = self.group.journeys.actions
        return [a for i in self.group.members for a in actions.of(i.instance_id)]

    def drawn(self, data: st.DataObject) -> Instance | None:
        members = list(self.group.members)
        return data.draw(st.sampled_from(members)) if members else None

    def tolerantly(self, call: Any) -> None:
        """The API refuses what does not fit; that must change nothing."""
        try:
            call()
        except AutoScalingError:
            return


LifeOfAGroup.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, derandomize=True
)
test_whatever_happens_to_a_group = LifeOfAGroup.TestCase
