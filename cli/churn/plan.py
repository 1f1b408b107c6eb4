"""What a churn run sends and does, drawn from one seed. Times are seconds after its start."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

SHORTEST_SECONDS = 0.2
LONGEST_SECONDS = 30.0
TENTHS = 10
SAVING_FROM_SECONDS = 5.0
TRAINING_EVERY = 12  # one job of so many trains the example's model
POISON_EVERY = 33  # three per cent
CRASHING_EVERY = 4  # of the poisoned ones; the others raise
TRAINING_STEPS = (500, 4000)

_T = TypeVar("_T")


class Kind(StrEnum):
    """What is done to the fleet, as a person says it."""

    CAPACITY = "desired capacity set at random"
    WORKER_KILLED = "worker killed (-9)"
    WORKER_STALLED = "worker stalled (-STOP) for a while"
    JOB_KILLED = "job's process killed (-9)"
    DISK_FULL = "instance's disk filled"
    STOPPED = "instance stopped behind the group's back"
    TERMINATED = "instance terminated behind the group's back"
    REBOOTED = "instance rebooted"
    HUNG = "instance hung for good"
    DRAINED = "instance drained by its document, then terminated"
    SPOT = "Spot interruption notice, then terminated"
    REBALANCE = "rebalance recommendation"
    CUT_OFF = "one instance's network cut"
    API_CUT = "AWS cut off for everybody"
    FUNCTION_KILLED = "Lambda function killed in a call (-9)"


@dataclass(frozen=True, slots=True)
class ChurnJob:
    """One job; `poison` is one that has to end as a dead letter."""

    job_id: str
    at: float
    payload: Mapping[str, object]
    poison: bool = False

    @property
    def expected(self) -> dict[str, object] | None:
        """The only right result; None where the run cannot know it, as of a training."""
        if self.payload["task"] != "count":
            return None
        return {"counted": self.payload["tenths"]}


@dataclass(frozen=True, slots=True)
class Strike:
    """Something done to the fleet. `pick`, from 0 to 1, chooses among what is there then;
    `seconds` is how long it lasts, where it lasts."""

    at: float
    kind: Kind
    pick: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Size:
    """How much of everything. `seconds` is the time over which jobs are sent and strikes fall."""

    jobs: int
    seconds: float
    strikes: Mapping[Kind, int]
    longest_cut_seconds: float
    longest_job_seconds: float = LONGEST_SECONDS


LONG = Size(
    jobs=300,
    seconds=600.0,
    strikes={
        Kind.CAPACITY: 24,
        Kind.WORKER_KILLED: 14,
        Kind.WORKER_STALLED: 6,
        Kind.JOB_KILLED: 14,
        Kind.DISK_FULL: 1,
        # The next ones cost an instance each, and its place a new setup.
        Kind.STOPPED: 2,
        Kind.TERMINATED: 2,
        Kind.HUNG: 1,
        Kind.DRAINED: 2,
        Kind.SPOT: 1,
        Kind.REBALANCE: 1,
        Kind.REBOOTED: 4,
        Kind.CUT_OFF: 8,
        Kind.API_CUT: 2,
        Kind.FUNCTION_KILLED: 8,
    },
    longest_cut_seconds=60.0,
)
SHORT = Size(
    jobs=40,
    seconds=60.0,
    strikes={
        Kind.CAPACITY: 3,
        Kind.WORKER_KILLED: 3,
        Kind.WORKER_STALLED: 1,
        Kind.JOB_KILLED: 3,
        Kind.STOPPED: 1,
        Kind.REBOOTED: 1,
        Kind.CUT_OFF: 1,
        Kind.API_CUT: 1,
        Kind.FUNCTION_KILLED: 2,
    },
    longest_cut_seconds=10.0,
    longest_job_seconds=8.0,
)


@dataclass(frozen=True)
class Plan:
    seed: int
    size: Size
    jobs: tuple[ChurnJob, ...]
    strikes: tuple[Strike, ...]


def make_plan(seed: int, size: Size) -> Plan:
    """The same seed and size give the same plan. Poisoned jobs come on top of `size.jobs`."""
    random_ = random.Random(seed)  # noqa: S311 - a seeded generator is what a replay wants
    good = [_good_job(random_, number, size) for number in range(size.jobs)]
    bad = [_poison(random_, number, size) for number in range(max(1, size.jobs // POISON_EVERY))]
    jobs = sorted([*good, *bad], key=lambda job: job.at)
    strikes = [
        _strike(random_, kind, size) for kind, count in size.strikes.items() for _ in range(count)
    ]
    return Plan(seed, size, tuple(jobs), tuple(sorted(strikes, key=lambda strike: strike.at)))


def _good_job(random_: random.Random, number: int, size: Size) -> ChurnJob:
    """Lengths are spread evenly over the orders of magnitude."""
    at = random_.uniform(0, size.seconds)
    share = random_.random()
    seconds = SHORTEST_SECONDS * (size.longest_job_seconds / SHORTEST_SECONDS) ** share
    if number % TRAINING_EVERY == 0:
        steps = random_.randint(*TRAINING_STEPS)
        payload: dict[str, object] = {"task": "train", "seed": number, "steps": steps}
        return ChurnJob(f"train-{number:03}", at, payload)
    payload = {
        "task": "count",
        "tenths": max(2, round(seconds * TENTHS)),
        "patient": random_.random() < 0.5,
        "saves": seconds >= SAVING_FROM_SECONDS and random_.random() < 0.5,
    }
    return ChurnJob(f"count-{number:03}", at, payload)


def _poison(random_: random.Random, number: int, size: Size) -> ChurnJob:
    """Early enough that its attempts end with the others'."""
    task = "crash" if number % CRASHING_EVERY == 1 else "raise"
    at = random_.uniform(0, size.seconds / 2)
    return ChurnJob(f"poison-{number:03}", at, {"task": task}, poison=True)


def _strike(random_: random.Random, kind: Kind, size: Size) -> Strike:
    """None in the first twentieth: there has to be something to hit."""
    at = random_.uniform(size.seconds / 20, size.seconds)
    return Strike(at, kind, random_.random(), random_.uniform(3.0, size.longest_cut_seconds))


def picked(pick: float, choice: Sequence[_T]) -> _T:
    """`pick`, from 0 to 1, as a place in a sequence that is not empty."""
    return choice[min(int(pick * len(choice)), len(choice) - 1)]
