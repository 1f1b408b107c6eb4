"""What a run of many seeds says: progress, what went wrong on purpose, and what came of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from faults.mischief import KINDS
from faults.plan import CALL_FAULTS, Plan
from faults.run import Result

MAX_STORY_LINES = 120


@dataclass
class Totals:
    """Sums over all runs; what `faults` have `led_to` is that functions failed or timed out."""

    runs: int = 0
    last_seed: int | None = None
    jobs: int = 0
    results: int = 0
    dead_letters: int = 0
    left: int = 0
    ran_again: int = 0
    virtual_seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    led_to: Counter[str] = field(default_factory=Counter)
    failed_seeds: list[int] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.runs += 1
        self.last_seed = result.plan.seed
        self.jobs += result.jobs
        self.results += result.results
        self.dead_letters += result.dead_letters
        self.left += result.left
        self.ran_again += result.ran_again
        self.virtual_seconds += result.at
        for kind, times in result.tally.items():
            (self.faults if kind in KINDS else self.led_to)[kind] += times
        self.effects.update(result.effects)
        if result.broken:
            self.failed_seeds.append(result.plan.seed)

    @property
    def lost(self) -> int:
        """Jobs of which nobody knows: 0, unless runs were broken before their end."""
        return self.jobs - self.results - self.dead_letters - self.left

    def where(self, kind: str) -> Counter[str]:
        """The calls, functions, sources or states of instances that faults of a kind met."""
        return Counter({where: times for (it, where), times in self.effects.items() if it == kind})


def print_totals(console: Console, totals: Totals) -> None:
    table = Table(title="Faults that took effect", title_justify="left")
    table.add_column("kind")
    table.add_column("times", justify="right")
    table.add_column("where", max_width=100)
    for kind, times in sorted(totals.faults.items(), key=lambda it: -it[1]):
        table.add_row(kind, f"{times:,}", _in_short(kind, totals.where(kind)))
    console.print(table)
    hours = totals.virtual_seconds / 3600
    console.print(
        f"{totals.runs:,} runs of {hours:,.0f} hours in virtual time, "
        f"{sum(totals.faults.values()):,} faults of {len(totals.faults)} kinds of {len(KINDS)}"
    )
    if totals.failed_seeds:
        broken = f"{len(totals.failed_seeds)} runs broken: {totals.failed_seeds}"
        console.print(f"{totals.jobs:,} jobs sent; {broken}")
        return
    console.print(
        f"{totals.jobs:,} jobs sent, {totals.results:,} results, "
        f"{totals.dead_letters:,} dead letters, {totals.left:,} left in queues of deleted stacks, "
        f"{totals.lost} lost, 0 recorded twice"
    )


def _in_short(kind: str, where: Counter[str]) -> str:
    if kind in CALL_FAULTS:
        return f"{len(where)} different calls"
    return ", ".join(f"{name} {times}" for name, times in where.most_common() if name)


def print_failure(console: Console, result: Result, short: Plan, story: tuple[str, ...]) -> None:
    console.rule(f"seed {result.plan.seed}")
    console.print(f"[bold red]{result.broken}[/]", markup=True, highlight=False)
    console.print(f"It breaks with {len(short.faults)} faults and {len(short.jobs)} jobs:")
    for fault in short.faults:
        console.print(f"  {fault}", highlight=False, markup=False)
    console.print(f"  {short.settings}", highlight=False, markup=False)
    for line in story[-MAX_STORY_LINES:]:
        console.print(line, highlight=False, markup=False, overflow="ellipsis", no_wrap=True)
    console.print(f"[bold]make faults FIRST={result.plan.seed} SEEDS=1[/]")


def write_totals(folder: Path, totals: Totals) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "faults.json"
    document = {
        "runs": totals.runs,
        "virtual_hours": round(totals.virtual_seconds / 3600, 1),
        "jobs": totals.jobs,
        "results": totals.results,
        "dead_letters": totals.dead_letters,
        "left": totals.left,
        "ran_again": totals.ran_again,
        "failed_seeds": totals.failed_seeds,
        "faults": dict(totals.faults.most_common()),
        "led_to": dict(totals.led_to),
        "where": {kind: dict(totals.where(kind).most_common()) for kind in sorted(totals.faults)},
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def write_story(folder: Path, result: Result) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"seed-{result.plan.seed}.txt"
    path.write_text("\n".join((*result.story, "")), encoding="utf-8")
    return path
