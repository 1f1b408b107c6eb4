"""One run: a plan in a world of its own, its invariants looked at until all is at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from faults.invariants import AT_EVERY_MOMENT, over_time
from faults.plan import Plan
from faults.rest import unrest
from faults.shipped_code import shipped_code
from faults.world import World

# How soon all is mended once nothing goes wrong any more. The longest way: nobody looks in, the
# breaker's first trial has just failed and the next comes half an hour later; its setup takes up to
# seven minutes, and a poisoned job that waited for it is tried three times for three. Without a
# breaker it is the group's own pause between launches that fail, up to a quarter of an hour.
REST_SECONDS = 3600.0
# An update ends by itself: its instance refresh within an hour of the last replacement, and then
# that of the rollback. Rest is for afterwards.
UPDATE_SECONDS = 4 * 3600.0
LOOK_SECONDS = 5.0
REST_LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Result:
    """`broken` is the first thing that did not hold, empty when all did; `at` when, in seconds.

    `effects` are the faults of the tally by their kind and by where they took effect. `left` jobs
    were still in the queue when the stack was deleted. The longest wait is of those that began.
    """

    plan: Plan
    broken: str
    at: float
    tally: Counter[str]
    effects: Counter[tuple[str, str]]
    calls: Counter[tuple[str, str]]
    jobs: int
    results: int
    dead_letters: int
    left: int
    ran_again: int
    longest_wait_seconds: float
    launches: int
    alerts: int
    story: tuple[str, ...]


class BrokenError(Exception):
    """An invariant does not hold."""


def run(plan: Plan, *, listens: bool = False) -> Result:
    """The same plan gives the same result. With `listens` the result has the story."""
    world = World(plan, listens=listens)
    broken = ""
    with shipped_code(world):
        try:
            _Run(world).live()
        except BrokenError as error:
            broken = str(error)
            world.diary.say(f"BROKEN {broken}")
        result = _result(world, broken)
        world.tasks.end()
    return result


class _Run:
    def __init__(self, world: World) -> None:
        self._world = world
        self._looked_at = world.clock.now()
        self._over_time = over_time()

    def live(self) -> None:
        """Raises BrokenError."""
        world, plan = self._world, self._world.plan
        world.mischief.plan(plan.faults)
        for job in plan.jobs:
            world.clock.call_at(world.at(job.at), world.ledger.send, job)
        self._until(plan.quiet_at)
        world.mischief.end()
        world.diary.say("all faults are over")
        self._until_rest(plan.quiet_at + REST_SECONDS)

    def _until_rest(self, limit: float) -> None:
        """A person looks in now and then, as alerts ask for, or nobody does."""
        world, plan = self._world, self._world.plan
        latest = limit + UPDATE_SECONDS
        while world.since_start() < limit:
            if world.stack.is_busy:
                limit = min(latest, world.since_start() + REST_SECONDS)
            world.person.look_in(plan.settings.person_seconds)
            self._until(world.since_start() + REST_LOOK_SECONDS)
            if next(unrest(world), None) is None:
                return
        raise BrokenError("not at rest: " + "; ".join(list(unrest(world))[:6]))

    def _until(self, seconds: float) -> None:
        world, until = self._world, self._world.at(seconds)
        clock = world.clock
        while (due := clock.next_at()) is not None and due <= until:
            clock.run_until(due)
            self._look()
        clock.run_until(until)

    def _look(self) -> None:
        world, now = self._world, self._world.clock.now()
        if world.stirred:
            world.stirred = False
            for invariant in AT_EVERY_MOMENT:
                _demand(invariant(world))
        if now >= self._looked_at + LOOK_SECONDS:
            self._looked_at = now
            if not world.mischief.aws_answers:
                world.answering_since = now
            if not world.mischief.workers_are_heard:
                world.heard_since = now
            for invariant in self._over_time:
                _demand(invariant(world))


def _demand(findings: Iterator[str]) -> None:
    for finding in findings:
        raise BrokenError(finding)


def _result(world: World, broken: str) -> Result:
    ledger = world.ledger
    unsettled = sum(1 for _ in ledger.unsettled())
    return Result(
        plan=world.plan,
        broken=broken,
        at=world.since_start(),
        tally=world.tally,
        effects=world.effects,
        calls=world.calls,
        jobs=len(ledger.truths),
        results=len(ledger.results),
        dead_letters=sum(
            ledger.in_dead_letters(job_id, truth) for job_id, truth in ledger.truths.items()
        ),
        left=unsettled if world.stack.is_deleted else 0,
        ran_again=sum(max(0, truth.returned - 1) for truth in ledger.truths.values()),
        longest_wait_seconds=max(
            (truth.waited_seconds or 0.0 for truth in ledger.truths.values()), default=0.0
        ),
        launches=len(world.machines.launches),
        alerts=len(world.alerts),
        story=tuple(world.diary.lines),
    )
