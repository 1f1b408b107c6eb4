"""What to set for a queue like this one, what it will cost, and whether the pool is worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pilotlight.scaling.decision import Policy
from pilotlight.scaling.pool import PoolPolicy, pool_size
from simulator.need import need_at_arrivals
from simulator.ours import Ours
from simulator.parallel import simulate_all
from simulator.prices import HOURS_A_MONTH, disk_month
from simulator.result import Result
from simulator.surroundings import Surroundings
from simulator.trace import Trace

PEAK_SECONDS = 300.0
DAY_OF_PEAKS = 288  # a shorter trace stands for a day like it
BAKED_SETUP_SECONDS = 45.0
"""A first boot from an image that has PyTorch in it, beside the boot itself: published cold starts
of such images take 26 to 90 s."""
TARGETS_SECONDS = (0.5, 2.0, 5.0, 10.0, 20.0)
WATCHES_SECONDS = (1, 2, 5, 15)
SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run the queue, and what it comes to in a month of such days."""

    name: str
    target_wait_seconds: float
    watch_seconds: int
    min_size: int
    prepared: int
    result: Result
    usd_a_month: float
    waited_hours_a_month: float

    def price(self, wait_worth: float) -> float:
        """USD a month, when an hour that a job waits is worth so much (USD)."""
        return self.usd_a_month + self.waited_hours_a_month * wait_worth


@dataclass(frozen=True, slots=True)
class Advice:
    """`ways` have the pool first; `best` is the cheapest, the wait included."""

    ways: tuple[Way, ...]
    best: Way
    wait_worth_usd_an_hour: float
    disks_usd_a_month: float

    @property
    def pool_is_a_loss(self) -> bool:
        return not self.best.prepared

    @property
    def with_pool(self) -> Way:
        """The cheapest way that has one."""
        return min((way for way in self.ways if way.prepared), key=self._price)

    @property
    def without_pool(self) -> Way:
        """The cheapest way that has none."""
        return min((way for way in self.ways if not way.prepared), key=self._price)

    @property
    def saved_hours_a_month(self) -> float:
        """Of waiting, by the pool; less than 0 where an instance that always runs waits less."""
        return self.without_pool.waited_hours_a_month - self.with_pool.waited_hours_a_month

    @property
    def saved_usd_a_month(self) -> float:
        """By the pool, the waits left out; mostly less than 0."""
        return self.without_pool.usd_a_month - self.with_pool.usd_a_month

    @property
    def break_even_usd_an_hour(self) -> float | None:
        """The worth of a waited hour at which both cost the same.

        From it on a pool pays that saves waiting, and up to it one that saves money instead; None
        when the pool saves neither, or money alone.
        """
        hours, usd = self.saved_hours_a_month, self.saved_usd_a_month
        if hours == 0 or (hours < 0 and usd <= 0):
            return None
        return max(0.0, -usd / hours)

    def _price(self, way: Way) -> float:
        return way.price(self.wait_worth_usd_an_hour)


def advise(trace: Trace, surroundings: Surroundings, worth: float, processes: int = 1) -> Advice:
    """`worth` is what an hour is worth in which a job waits, in USD."""
    prepared = advised_pool(trace, surroundings.max_size)
    pooled = replace(surroundings, prepared=prepared)
    target, watch = _settings(trace, pooled, worth, processes)
    bare = replace(surroundings, prepared=0)
    plans = [
        ("Stopped pool", pooled),
        ("Stopped pool, 1 always running", replace(pooled, min_size=1)),
        ("no pool", bare),
        ("no pool, PyTorch in the image", replace(bare, setup_seconds=BAKED_SETUP_SECONDS)),
        (
            "no pool, PyTorch in the image, 1 always running",
            replace(bare, setup_seconds=BAKED_SETUP_SECONDS, min_size=1),
        ),
    ]
    ways = _ways(trace, [(name, target, watch, plan) for name, plan in plans], processes)
    best = min(ways, key=lambda way: way.price(worth))
    disks = prepared * disk_month(surroundings.volume_gigabytes)
    return Advice(tuple(ways), best, worth, disks)


def advised_pool(trace: Trace, max_size: int) -> int:
    """MaxGroupPreparedCapacity by the rule that the running system follows."""
    peaks = [0] * (int(trace.window_seconds // PEAK_SECONDS) + 1)
    for arrival, need in zip(trace.arrivals_seconds, need_at_arrivals(trace), strict=True):
        slot = int(arrival // PEAK_SECONDS)
        peaks[slot] = max(peaks[slot], need)
    seen = tuple(peaks) * -(-DAY_OF_PEAKS // len(peaks))
    return pool_size(seen, 0, 0, max_size, PoolPolicy()).prepared


def _settings(
    trace: Trace, surroundings: Surroundings, worth: float, processes: int
) -> tuple[float, int]:
    """TargetWaitSeconds, then WatchSeconds, that cost least with the wait included."""
    watch = Ours().watch_seconds
    tried = [(f"target {target:g} s", target, watch, surroundings) for target in TARGETS_SECONDS]
    ways = _ways(trace, tried, processes)
    target = min(ways, key=lambda way: way.price(worth)).target_wait_seconds
    tried = [(f"watch {watch:g} s", target, watch, surroundings) for watch in WATCHES_SECONDS]
    ways = _ways(trace, tried, processes)
    return target, min(ways, key=lambda way: way.price(worth)).watch_seconds


def _ways(
    trace: Trace, plans: Sequence[tuple[str, float, int, Surroundings]], processes: int
) -> list[Way]:
    runs = [(trace, _ours(target, watch), surroundings) for _, target, watch, surroundings in plans]
    months = HOURS_A_MONTH * SECONDS_AN_HOUR / max(trace.window_seconds, PEAK_SECONDS)
    return [
        Way(
            name=name,
            target_wait_seconds=target,
            watch_seconds=watch,
            min_size=surroundings.min_size,
            prepared=surroundings.prepared,
            result=result,
            usd_a_month=result.usd * months,
            waited_hours_a_month=sum(result.waits_seconds) / SECONDS_AN_HOUR * months,
        )
        for (name, target, watch, surroundings), result in zip(
            plans, simulate_all(runs, processes), strict=True
        )
    ]


def _ours(target_wait_seconds: float, watch_seconds: int) -> Ours:
    policy = Policy(target_wait_seconds=target_wait_seconds)
    return Ours(policy=policy, watch_seconds=watch_seconds)
