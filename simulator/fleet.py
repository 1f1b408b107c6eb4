"""The group of one run: the model of `local.group` with its hooks answered and its EC2 metered."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Protocol

from local.group.actions import LifecycleAction
from local.group.clock import VirtualClock
from local.group.events import ActionEvent, GroupEvent, OutcomeEvent
from local.group.group import Group
from local.group.latency import Delay
from local.group.ports import World
from local.group.settings import CONTINUE, GroupSettings, Hook, Placement, WarmPool
from local.group.states import RETURN_TO_POOL, HookKind, LifecycleState, Place
from local.group.virtual_machines import VirtualMachines
from simulator import limits
from simulator.metered_machines import Meter, MeteredAnswers, MeteredMachines
from simulator.news import News
from simulator.surroundings import Durations, Surroundings

NAME = "simulated"
ARN = f"arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:0:autoScalingGroupName/{NAME}"
PLACEMENTS = (
    Placement("us-east-1a", "use1-az1", "subnet-a"),
    Placement("us-east-1b", "use1-az2", "subnet-b"),
)
HOOKS = (
    Hook("ready", HookKind.LAUNCHING, heartbeat_timeout_seconds=7200),
    Hook("drain", HookKind.TERMINATING, heartbeat_timeout_seconds=7200, default_result=CONTINUE),
)
STARTS = frozenset({Delay.START, Delay.FIRST_START})


class Workers(Protocol):
    def join(self, instance_id: str, ready_at: float) -> None: ...

    def part(self, instance_id: str) -> None: ...


class Ids:
    """Tokens that count up."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def token(self) -> str:
        return str(next(self._numbers)).zfill(36)


class Fleet:
    """Answers each lifecycle action after its time, and tells the workers when they may work."""

    def __init__(
        self,
        clock: VirtualClock,
        surroundings: Surroundings,
        random: Random,
        news: News,
        protects: bool,
    ) -> None:
        self._clock = clock
        self._news = news
        self._durations = Durations(random, surroundings.setup_seconds)
        self.meter = Meter(clock)
        self._workers: Workers | None = None
        self._ready_at: dict[str, float] = {}
        self.api_calls = self.throttled_calls = 0
        self.warm_starts = self.cold_starts = self.failed_starts = 0
        self._starts = limits.starts(clock, surroundings.starts_per_second)
        self._calls = limits.calls(clock, surroundings.calls_per_second)
        machines = VirtualMachines(clock, self._ec2_latency, lambda: self._answers)
        ec2 = MeteredMachines(
            machines,
            self.meter,
            random,
            surroundings.capacity_error_probability,
            frozenset(place.zone for place in PLACEMENTS),
        )
        settings = GroupSettings(
            surroundings.min_size,
            surroundings.max_size,
            PLACEMENTS,
            new_instances_protected_from_scale_in=protects,
        )
        world = World(clock, ec2, self, Ids(), self._durations.group)
        # Nobody reads its activities: kept, they would be most of what a run holds.
        self.group = Group(NAME, ARN, settings, world, hooks=HOOKS, kept_activities=0)
        self._answers = MeteredAnswers(self.meter, self.group.ec2)
        self.group.put_warm_pool(
            WarmPool(max_group_prepared_capacity=surroundings.prepared, reuse_on_scale_in=True)
        )

    def employ(self, workers: Workers) -> None:
        """Who works on the instances in service; from the beginning, before any is."""
        self._workers = workers

    @property
    def in_service(self) -> int:
        return self.group.members.in_service

    @property
    def pending(self) -> int:
        return self.group.members.launching

    def set_capacity(self, capacity: int) -> None:
        """What SetDesiredCapacity does, inside the group's bounds. Throttled it does nothing: the
        next look asks again."""
        settings = self.group.settings
        bounded = max(settings.min_size, min(capacity, settings.max_size))
        if bounded == self.group.desired_capacity:
            return
        self._news.tell()
        self.api_calls += 1
        if self._calls.refuses():
            self.throttled_calls += 1
        else:
            self.group.set_desired_capacity(bounded)

    def leave(self, instance_id: str) -> None:
        """Into the pool at once, and the capacity is one lower."""
        self.set_capacity(self.group.desired_capacity - 1)
        cause = self.group.records.at("it was idle.")
        self.group.journeys.leave(self.group.member(instance_id), RETURN_TO_POOL, cause)

    def begin(self) -> None:
        """Count from now on."""
        self.meter.begin()
        self.api_calls = self.throttled_calls = 0
        self.warm_starts = self.cold_starts = self.failed_starts = 0

    # Protection: what workers say

    def release(self, instance_id: str) -> bool:
        self._protect(instance_id, False)
        return True

    def protect(self, instance_id: str) -> None:
        self._protect(instance_id, True)

    def _protect(self, instance_id: str, protected: bool) -> None:
        self._news.tell_of_worker()
        self._call()
        self.group.set_instance_protection([instance_id], protected)

    def _call(self) -> float:
        """Seconds until a call that is made again when it is throttled has come through."""
        self.api_calls += 1
        seconds = self._calls.wait_seconds()
        self.throttled_calls += seconds > 0
        return seconds

    def _ec2_latency(self, delay: Delay) -> float:
        """Auto Scaling asks again for a start that EC2 throttles."""
        throttled = delay in STARTS
        return self._durations.group(delay) + (self._starts.wait_seconds() if throttled else 0.0)

    # Listener: what the group says

    def publish(self, event: GroupEvent) -> None:
        if isinstance(event, ActionEvent):
            self._answer(event)
        elif isinstance(event, OutcomeEvent) and event.transition.launches:
            if not event.succeeded:
                self._news.tell()
                self.failed_starts += 1
            elif event.transition.destination is Place.GROUP:
                self._enter_service(event)

    def target_state(self, instance_id: str, state: str | None) -> None:
        self._news.tell_of_worker()
        if state != LifecycleState.IN_SERVICE and self._workers is not None:
            self._workers.part(instance_id)

    def group_gone(self, name: str) -> None:
        raise LookupError(f"the group {name} was deleted in a simulation")

    def _answer(self, event: ActionEvent) -> None:
        """The lifecycle functions: first boots take their setup, drains a command."""
        durations, now = self._durations, self._clock.now()
        if not event.transition.launches:
            seconds = durations.drain()
        else:
            seconds = durations.hook()
            first = event.transition.origin is Place.EC2
            boot = durations.setup() if first else durations.boot()
            self._ready_at[event.instance_id] = now + boot
            seconds += boot if first else 0.0
        self._clock.call_at(now + seconds + self._call(), self._complete, event.action)

    def _complete(self, action: LifecycleAction) -> None:
        self.group.journeys.actions.complete(action.hook.name, CONTINUE, action.token, None)

    def _enter_service(self, event: OutcomeEvent) -> None:
        self._news.tell_of_worker()
        if event.transition.origin is Place.WARM_POOL:
            self.warm_starts += 1
        else:
            self.cold_starts += 1
        if self._workers is not None:
            ready_at = max(self._clock.now(), self._ready_at[event.instance_id])
            self._workers.join(event.instance_id, ready_at)


class Exits:
    """Workers that leave by themselves when they are idle, and take their place with them.

    As TerminateInstanceInAutoScalingGroup with decrement does; but into the pool, so that they are
    not set up anew, which would cost such systems more than they deserve here.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def release(self, instance_id: str) -> bool:
        group = self._fleet.group
        if group.desired_capacity <= group.settings.min_size:
            return self._fleet.release(instance_id)
        self._fleet.leave(instance_id)
        return False

    def protect(self, instance_id: str) -> None:
        self._fleet.protect(instance_id)
