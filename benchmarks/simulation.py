"""How fast virtual time passes, on one core and in processor time."""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time

from benchmarks.rows import Row
from simulator.field import choose
from simulator.generators import bursty, steady
from simulator.need import prepared_for
from simulator.run import simulate
from simulator.surroundings import Surroundings
from simulator.trace import Trace

POLICIES = "pilotlight,keda-tuned"
WEEK_SECONDS = 2.0
MILLION = 1_000_000
MILLION_SECONDS = 60.0
MAX_SIZE = 5000


def simulation_rows(million: bool) -> Iterator[Row]:
    """A week like Philly's for each; then a month of a million jobs, or a tenth of it."""
    week, days = bursty(), 30.0 if million else 3.0
    many = steady(days=days, jobs_per_day=MILLION / 30)
    for entrant in choose(POLICIES):
        yield Row(
            f"a bursty week, {entrant.name}",
            _seconds(week, entrant.name),
            "s",
            f"{len(week):,} jobs, {max_need(week)} instances prepared",
            at_most=WEEK_SECONDS,
        )
        yield Row(
            f"a million jobs, {entrant.name}",
            _seconds(many, entrant.name) * MILLION / len(many),
            "s",
            f"{len(many):,} steady jobs in {days:g} days" + ("" if million else ", times ten"),
            at_most=MILLION_SECONDS,
        )


def max_need(trace: Trace) -> int:
    return prepared_for(trace, MAX_SIZE)


def _seconds(trace: Trace, policy: str) -> float:
    surroundings = Surroundings(max_size=MAX_SIZE, prepared=max_need(trace))
    (entrant,) = choose(policy)
    begun = process_time()
    simulate(trace, entrant, surroundings)
    return process_time() - begun
