"""How long the scaling decision takes for a large group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter

from benchmarks.rows import Row
from pilotlight.fleet.group import Group, Member
from pilotlight.scaling.capacity import observe
from pilotlight.scaling.decision import Policy, QueueDepth, desired_capacity
from pilotlight.scaling.history import ArrivalHistory

INSTANCES = 5000
TIMES = 200
MOST_MILLISECONDS = 1.0


def decision_rows() -> Iterator[Row]:
    group = _group(INSTANCES)
    depth = QueueDepth(visible=600, in_flight=INSTANCES - 100, delayed=0)
    observation = observe(group, depth, _history(0))
    yield Row(
        f"decision at {INSTANCES:,} instances",
        _milliseconds(lambda _: desired_capacity(observation, Policy())),
        "ms",
        f"median of {TIMES}; the forecast of this minute is known",
        at_most=MOST_MILLISECONDS,
    )
    yield Row(
        f"look at {INSTANCES:,} instances",
        _milliseconds(
            lambda turn: desired_capacity(observe(group, depth, _history(turn)), Policy())
        ),
        "ms",
        "the same with all members counted and a new minute's forecast",
    )


def _milliseconds(act: Callable[[int], object]) -> float:
    taken = []
    for turn in range(TIMES):
        begun = perf_counter()
        act(turn)
        taken.append(perf_counter() - begun)
    return median(taken) * 1000


def _group(size: int) -> Group:
    members = tuple(
        Member(
            instance_id=f"i-{number:017x}",
            lifecycle_state="InService" if number % 50 else "Pending:Wait",
            is_protected=number % 10 > 0,
        )
        for number in range(size)
    )
    return Group(
        min_size=0,
        max_size=size,
        desired_capacity=size,
        members=members,
        warm_pool_size=size,
        suspended_processes=frozenset(),
        tags=(),
        is_being_deleted=False,
    )


def _history(turn: int) -> ArrivalHistory:
    """Six hours of bursts; another for each turn."""
    minutes = tuple((minute * 7919 + turn) % 97 for minute in range(360))
    return ArrivalHistory(per_minute=minutes, service_seconds=300.0)
