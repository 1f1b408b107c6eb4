"""Runs on several cores. Which core does what changes nothing: each run has its own seed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from simulator.result import Result
from simulator.run import Entrant, simulate
from simulator.surroundings import Surroundings
from simulator.trace import Trace

Arguments = tuple[Trace, Entrant, Surroundings]

# What the forked processes find: rules hold closures, which cannot be sent to another process.
_runs: list[Arguments] = []


def simulate_all(runs: Sequence[Arguments], processes: int) -> list[Result]:
    """In the order of the runs."""
    if processes == 1:
        return [simulate(*run) for run in runs]
    _runs[:] = runs
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        return list(pool.map(_simulate_one, range(len(runs))))


def _simulate_one(index: int) -> Result:
    return simulate(*_runs[index])
