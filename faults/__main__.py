"""`python -m faults`: runs seeds until all are done, or the first that breaks is explained."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from faults.draw import draw
from faults.plan import Plan
from faults.progress import progress
from faults.report import Totals, print_failure, print_totals, write_story, write_totals
from faults.run import Result, run
from faults.shrink import shrink

FOLDER = Path("build/faults")
MAX_EXPLAINED = 3


def main(
    seeds: Annotated[int, typer.Option(min=1, help="how many seeds to run")] = 2000,
    first: Annotated[int, typer.Option(min=0, help="the first seed")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="processes at once")] = os.cpu_count() or 1,
) -> None:
    """Runs the shipped code in virtual time with faults drawn from each seed."""
    console = Console(width=min(140, Console().width) if sys.stdout.isatty() else 140)
    totals, broken, stopped = Totals(), list[Result](), False
    try:
        with progress(console, totals, seeds):
            for result in _results(range(first, first + seeds), processes):
                totals.add(result)
                if result.broken:
                    broken.append(result)
                    console.print(f"seed {result.plan.seed}: {result.broken.splitlines()[0]}")
    except KeyboardInterrupt:
        stopped = True
        console.print(f"stopped after {totals.runs} of {seeds} seeds")
    for result in broken[:MAX_EXPLAINED]:
        _explain(console, result)
    print_totals(console, totals)
    console.print(f"{write_totals(FOLDER, totals)} has the figures")
    raise typer.Exit(1 if broken or stopped else 0)


def _results(seeds: range, processes: int) -> Iterator[Result]:
    """In the order of their seeds."""
    if processes == 1 or len(seeds) == 1:
        yield from map(run_seed, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run_seed, seeds)


def run_seed(seed: int) -> Result:
    return run(draw(seed))


def _explain(console: Console, result: Result) -> None:
    short = shrink(result.plan, lambda plan: _breaks_alike(plan, result.broken))
    again = run(short, listens=True)
    print_failure(console, result, short, again.story)
    console.print(f"{write_story(FOLDER, again)} has all that happened")


def _breaks_alike(plan: Plan, broken: str) -> bool:
    """In the same way, as far as a sentence tells: ids and figures may differ."""
    found = run(plan).broken
    return bool(found) and _words(found) == _words(broken)


def _words(sentence: str) -> list[str]:
    return [word for word in sentence.splitlines()[0].split() if word.isalpha()][:12]


if __name__ == "__main__":
    typer.run(main)
