"""Whole fleets at once, in virtual time: how long they take, what they call, what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time

from benchmarks.rows import Row
from faults.fleet import FleetRun, Stage, shipped_code
from faults.plan import Fault
from pilotlight.fleet.settle_waits import PER_CALL
from simulator.field import choose
from simulator.result import Result
from simulator.run import simulate
from simulator.surroundings import Surroundings
from simulator.trace import Trace

INSTANCES = 5000
# What EC2 publishes for StartInstances; whether Auto Scaling's own starts count it does not say.
STARTS_PER_SECOND = 2.0
# Auto Scaling publishes no limit of its API: this one is far below what it takes.
CALLS_PER_SECOND = 20.0
EVENTS = 20_000
EVERY_EVENT_LOST = Fault(0.0, "event_lost", seconds=1e9, count=10**9, what="aws.autoscaling")
JOBS = 1_000_000
JOB_SECONDS = 60.0
SENDING_SECONDS = 10.0
MOST_WAKE_SECONDS = 120.0
MOST_CALLS_PER_WAKE = 1.5


def scale_rows() -> Iterator[Row]:
    yield from _wake_rows()
    yield from _throttled_rows()
    yield from _event_rows()
    yield from _queue_rows()


def _wake_rows() -> Iterator[Row]:
    woken = wake(INSTANCES)
    yield Row(
        f"{INSTANCES:,} instances woken at once",
        woken.seconds,
        "s",
        "virtual, from their jobs' sending until all are InService; EC2 without limits",
        at_most=MOST_WAKE_SECONDS,
    )
    yield Row(
        "the same, calls of functions per instance",
        woken.calls.total() / INSTANCES,
        "calls",
        per_instance(woken),
        at_most=MOST_CALLS_PER_WAKE,
    )
    yield Row(
        "the same, commands sent to instances",
        woken.calls["ssm.SendCommand"],
        "calls",
        "they were proven before they slept",
        at_most=0,
    )
    yield Row("the same, control plane", woken.usd, "USD", f"{woken.invocations:,} invocations")


def _throttled_rows() -> Iterator[Row]:
    for what, woken in (
        (f"EC2 starts 1,000, then {STARTS_PER_SECOND:g} a second", wake(INSTANCES, starts=True)),
        (f"Auto Scaling takes {CALLS_PER_SECOND:g} calls a second", wake(INSTANCES, calls=True)),
    ):
        detail = f"{woken.throttled:,} calls throttled, at most {woken.deliveries} deliveries"
        yield Row(f"the same, {what}", woken.seconds, "s", f"{detail}, USD {woken.usd:.3f}")


def _event_rows() -> Iterator[Row]:
    run = FleetRun(EVENTS)
    begun = process_time()
    with shipped_code(run.world):
        filled = run.fill_pool()
    detail = (
        f"into the pool as one; {per_instance(filled)}; USD {filled.usd:.3f}; "
        f"{process_time() - begun:.0f} s of processor time"
    )
    yield Row(f"{filled.events:,} launches at once", filled.seconds, "s", detail)
    yield Row("the same, events lost", filled.lost_events, "events", at_most=0)
    yield from _lost_rows()


def _lost_rows() -> Iterator[Row]:
    """Reconcile alone sets all of them up, so none of its commands has a token to carry."""
    run = FleetRun(INSTANCES, EVERY_EVENT_LOST)
    with shipped_code(run.world):
        filled = run.fill_pool()
    yield Row(
        f"{INSTANCES:,} launches, every lifecycle event lost",
        filled.seconds,
        "s",
        f"into the pool by reconcile; {per_instance(filled)}; USD {filled.usd:.3f}",
    )
    yield Row(
        "the same, commands sent",
        filled.calls["ssm.SendCommand"],
        "calls",
        f"of {PER_CALL} instances at most",
        at_most=INSTANCES / PER_CALL * 1.5,
    )


def _queue_rows() -> Iterator[Row]:
    result = all_at_once(JOBS)
    drained = max(sample.at_seconds for sample in result.samples if sample.waiting)
    full = min(it.at_seconds for it in result.samples if it.in_service >= INSTANCES)
    yield Row(
        f"{JOBS:,} jobs sent within ten seconds",
        drained,
        "s",
        f"of {JOB_SECONDS:g} s each, {INSTANCES:,} instances in service after {full:.0f} s; "
        f"{result.unfinished} unfinished; control plane USD {result.bill.control:.2f}",
    )


def wake(instances: int, *, starts: bool = False, calls: bool = False) -> Stage:
    """With EC2's limit of starts, or one of Auto Scaling's calls, or neither."""
    run = FleetRun(instances)
    with shipped_code(run.world):
        run.fill_pool()
        return run.wake(STARTS_PER_SECOND if starts else None, CALLS_PER_SECOND if calls else None)


def all_at_once(jobs: int) -> Result:
    arrivals = tuple(SENDING_SECONDS * number / jobs for number in range(jobs))
    trace = Trace("all at once", arrivals, (JOB_SECONDS,) * jobs)
    (ours,) = choose("pilotlight")
    return simulate(trace, ours, Surroundings(max_size=INSTANCES, prepared=INSTANCES))


def per_instance(stage: Stage) -> str:
    """By operation, those that come once for every few instances at least."""
    shares = {name: count / stage.instances for name, count in stage.calls.most_common()}
    return ", ".join(f"{name} {share:.2f}" for name, share in shares.items() if share >= 0.01)
