"""A whole fleet at once: its pool is set up, sleeps, and is woken as one, in virtual time.

The shipped functions, the group and Run Command are those of any run. The instances have their
boot, their setup and their agent; the worker is left out, since none of this depends on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from faults.guest import Guest
from faults.plan import Fault, Plan, Settings
from faults.shipped_code import shipped_code
from faults.world import World
from local.group.clock import VirtualClock
from local.group.members import Members
from simulator import limits
from simulator.prices import prices

FUNCTION_GIGABYTES = 0.25  # as in the template
STEP_SECONDS = 1.0
PATIENCE_SECONDS = 14_400.0


class NeverThereError(Exception):
    """The fleet did not come to where it should within hours."""


class IdleGuest(Guest):
    """An instance that is set up and proven as any other, and on which no worker runs."""

    def start_worker(self) -> None:
        """There is none."""


@dataclass(frozen=True)
class Stage:
    """What one stage of a fleet took. `calls` are the functions', by `service.Operation`.

    `deliveries` is the most often that a lifecycle event was handed out so far; `lost_events` are
    those that were given up. `usd` is the list price of Lambda, SQS and CloudWatch.
    """

    instances: int
    seconds: float
    calls: Counter[str]
    throttled: int
    invocations: int
    events: int
    deliveries: int
    lost_events: int
    usd: float


class FleetRun:
    """One fleet of so many instances. To be used within `shipped_code(run.world)`."""

    def __init__(self, instances: int, *faults: Fault) -> None:
        settings = Settings(
            min_size=0,
            max_size=instances,
            max_prepared=instances,
            watch_seconds=3,
            real_setup_seconds=90.0,
        )
        self.instances = instances
        self.world = World(Plan(1, settings), new_guest=IdleGuest)
        self.world.mischief.plan(faults)

    def fill_pool(self) -> Stage:
        """Every instance launches at once, is proven and stopped."""
        return self._stage(lambda members: members.pool_settled)

    def wake(
        self, starts_per_second: float | None = None, calls_per_second: float | None = None
    ) -> Stage:
        """A job for each is sent. The rates are limits of EC2 and of Auto Scaling's API."""
        world, clock = self.world, self.world.clock
        world.machines.starts = limits.starts(clock, starts_per_second)
        world.wire.allowances["autoscaling"] = limits.calls(clock, calls_per_second)
        for number in range(self.instances):
            world.jobs.send(str(number))
        return self._stage(lambda members: members.in_service)

    def _stage(self, arrived: Callable[[Members], int]) -> Stage:
        before, world = _Counts.of(self.world), self.world
        clock: VirtualClock = world.clock
        began_at, members = clock.now(), world.group.members
        while arrived(members) < self.instances or world.lifecycle.messages:
            if clock.now() > began_at + PATIENCE_SECONDS:
                raise NeverThereError(f"{arrived(members)} of {self.instances} have arrived")
            clock.advance(STEP_SECONDS)
        return before.until(_Counts.of(world), self.instances, clock.now() - began_at)


@dataclass(frozen=True)
class _Counts:
    """Of a world at one moment."""

    calls: Counter[str]
    throttled: int
    invocations: int
    events: int
    deliveries: int
    lost_events: int
    usd: float

    @classmethod
    def of(cls, world: World) -> _Counts:
        calls = Counter(
            {name: count for (who, name), count in world.wire.calls.items() if who == "functions"}
        )
        return cls(
            calls=calls,
            throttled=sum(world.wire.throttled.values()),
            invocations=sum(it.invocations for it in world.stack.functions.values()),
            events=world.lifecycle.sent,
            deliveries=world.lifecycle.most_receives,
            lost_events=len(world.lost_events.messages),
            usd=_usd(world, calls),
        )

    def until(self, later: _Counts, instances: int, seconds: float) -> Stage:
        return Stage(
            instances=instances,
            seconds=seconds,
            calls=later.calls - self.calls,
            throttled=later.throttled - self.throttled,
            invocations=later.invocations - self.invocations,
            events=later.events - self.events,
            deliveries=later.deliveries,
            lost_events=later.lost_events,
            usd=later.usd - self.usd,
        )


def _usd(world: World, calls: Counter[str]) -> float:
    """Each batch is received and deleted by Lambda; a metric is asked for by its call."""
    price = prices()
    functions = world.stack.functions.values()
    batches = sum(it.invocations for it in functions)
    seconds = sum(it.billed_seconds for it in functions)
    queues = (world.lifecycle, world.results, world.watch)
    asked = sum(count for name, count in calls.items() if name.startswith("sqs."))
    requests = asked + 2 * batches + sum(queue.sent for queue in queues)
    return float(
        batches * price["lambda"]["request"]
        + seconds * FUNCTION_GIGABYTES * price["lambda"]["gigabyte_second"]
        + requests * price["sqs"]["request"]
        + calls["cloudwatch.GetMetricData"] * price["cloudwatch"]["get_metric_data"]
    )


__all__ = ["FleetRun", "NeverThereError", "Stage", "shipped_code"]
