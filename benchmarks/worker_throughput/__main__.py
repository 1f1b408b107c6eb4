"""`make bench-worker`: empty jobs a second of one worker, and of loops that receive and delete.

The same embedded AWS in the same run; the rounds of all alternate, so that a noisy moment meets
them alike; a ratio is one of medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.worker_throughput.stage import Stage
from benchmarks.worker_throughput.worker_process import WorkerProcess
from cli.deploy import ROOT
from cli.report import write_json
from local.cloud import EmbeddedCloud

SLOTS = (1, 8)
BATCHES = {"bare loop, one message a call": 1, "bare loop, ten messages a call": 10}
WANTED = 0.8
REPORT = ROOT / "build" / "bench" / "worker.json"
BARE_LOOP = "benchmarks.worker_throughput.bare_loop"

Contestant = Callable[[int], float]  # seconds for so many jobs


def main(
    jobs: Annotated[int, typer.Option(help="Jobs a round.", min=10)] = 400,
    rounds: Annotated[int, typer.Option(help="Rounds of each.", min=1)] = 5,
) -> None:
    """Exit code 1 when a worker does less than 0.8 of what the loop of single messages does."""
    console = Console()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        cloud = cleanup.enter_context(EmbeddedCloud(folder / "cloud"))
        stage = Stage(cloud)
        contestants: dict[str, Contestant] = {
            name: _bare_loop(stage, batch) for name, batch in BATCHES.items()
        }
        for slots in SLOTS:
            worker = cleanup.enter_context(WorkerProcess(stage, slots, folder / f"worker-{slots}"))
            worker.warm_up()
            contestants[f"worker, {slots} slot{'s' * (slots > 1)}"] = worker.work_off
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in track(range(rounds), "rounds", console=console):
            for name, work_off in contestants.items():
                rates[name].append(jobs / work_off(jobs))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    console.print(_table(medians, jobs, rounds))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    write_json({"jobs": jobs, "rounds": rounds, "jobs_a_second": rates}, REPORT)
    console.print(f"{REPORT.relative_to(ROOT)} has every round", highlight=False)
    floor = medians[next(iter(BATCHES))]
    ratios = [rate / floor for name, rate in medians.items() if name not in BATCHES]
    if min(ratios) < WANTED:
        console.print(f"a worker reaches only {min(ratios):.2f} of the loop; {WANTED} is wanted")
        raise typer.Exit(1)


def _bare_loop(stage: Stage, batch: int) -> Contestant:
    queue_url = stage.make_queue()

    def work_off(count: int) -> float:
        stage.fill(queue_url, count)
        ended = subprocess.run(
            [sys.executable, "-m", BARE_LOOP, queue_url, str(count), str(batch)],
            env={**os.environ, **stage.cloud.environment()},
            capture_output=True,
            text=True,
            check=True,
        )
        return float(ended.stdout)

    return work_off


def _table(medians: dict[str, float], jobs: int, rounds: int) -> Table:
    table = Table(title=f"{jobs} empty jobs a round, median of {rounds} rounds")
    table.add_column("")
    table.add_column("jobs a second", justify="right")
    for name in BATCHES:
        table.add_column(f"of {name}", justify="right")
    for name, rate in medians.items():
        ratios = [f"{rate / medians[floor]:.2f}" for floor in BATCHES]
        table.add_row(name, f"{rate:.0f}", *ratios)
    return table


if __name__ == "__main__":
    typer.run(main)
