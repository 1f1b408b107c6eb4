"""What simulated policies did, as a table."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from cli.terminal import console
from simulator.result import Result, percentile
from simulator.trace import Trace

TABLE_WIDTH = 120


def results_table(title: str, results: Iterable[Result]) -> Table:
    """Side by side, cheapest first."""
    table = Table(title=title, title_justify="left")
    table.add_column("policy", no_wrap=True)
    for heading in (
        "p50 s", "p95 s", "p99 s", "warm", "kills", "lost h", "hours", "USD", "calls", "unfinished",
    ):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    for result in sorted(results, key=lambda result: result.usd):
        waits = result.waits_seconds
        table.add_row(
            result.policy,
            *(f"{percentile(waits, percent):,.1f}" for percent in (50, 95, 99)),
            f"{result.warm_share:.0%}",
            f"{result.busy_kills:,}",
            f"{result.lost_job_seconds / 3600:,.1f}",
            f"{result.instance_hours['billed']:,.0f}",
            f"{result.usd:,.2f}",
            f"{result.api_calls:,}",
            f"{result.unfinished:,}",
        )
    return table


def print_simulation(trace: Trace, results: list[Result]) -> None:
    title = f"{trace.name}: {len(trace):,} jobs, {trace.work_hours:,.0f} hours of work"
    print_table(results_table(title, results))


def print_table(table: Table) -> None:
    """Whole, on a narrow terminal or in a file too: cut numbers are worse than broken lines."""
    Console(width=max(console.width, TABLE_WIDTH)).print(table)
