"""How far a run of many seeds is: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from faults.report import Totals

BAR_SECONDS = 0.5
LINE_SECONDS = 10.0


@contextmanager
def progress(console: Console, totals: Totals, seeds: int) -> Iterator[None]:
    """Shows the totals, which somebody else adds to meanwhile."""
    if not console.is_terminal:
        with _ticking(_line(console, totals, seeds), LINE_SECONDS):
            yield
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[so_far]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=seeds, so_far="")

        def tick() -> None:
            bar.update(task, completed=totals.runs, so_far=_so_far(totals))

        with _ticking(tick, BAR_SECONDS):
            yield


def _line(console: Console, totals: Totals, seeds: int) -> Callable[[], None]:
    began_at = time.monotonic()

    def tick() -> None:
        seconds = time.monotonic() - began_at
        console.print(
            f"{seconds:5.0f} s: {totals.runs:,} of {seeds:,} seeds, {_so_far(totals)}",
            highlight=False,
            soft_wrap=True,
        )

    return tick


def _so_far(totals: Totals) -> str:
    if totals.last_seed is None:
        return "none done yet"
    faults, broken = sum(totals.faults.values()), len(totals.failed_seeds)
    done = f"{faults:,} faults, {totals.jobs:,} jobs, {broken} broken"
    return f"up to {totals.last_seed}: {done}"


@contextmanager
def _ticking(tick: Callable[[], None], pause_seconds: float) -> Iterator[None]:
    """Once at the end, too."""
    over = threading.Event()

    def turn() -> None:
        while not over.wait(pause_seconds):
            tick()

    thread = threading.Thread(target=turn, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        tick()
