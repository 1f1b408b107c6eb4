"""`make bench`: what the functions, the decision and the simulator cost, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.api_calls import call_rows
from benchmarks.decisions import decision_rows
from benchmarks.lambda_functions import function_rows
from benchmarks.rows import Row
from benchmarks.scale import scale_rows
from benchmarks.simulation import simulation_rows
from cli.deploy import ROOT
from cli.explained import explained
from cli.report import write_json
from cli.terminal import console

FOLDER = ROOT / "build" / "bench"


def main(
    rounds: Annotated[int, typer.Option(min=3, help="Cold starts of each function.")] = 15,
    million: Annotated[
        bool, typer.Option("--million", help="Simulate a whole month of a million jobs.")
    ] = False,
) -> None:
    """Exit code 1 when something wanted does not hold."""
    with explained():
        FOLDER.mkdir(parents=True, exist_ok=True)
        measured = []
        with console.status("measuring") as status:
            for row in rows(rounds, million):
                measured.append(row)
                status.update(f"measured: {row.name}")
    console.print(table(measured))
    write_json({"rows": [as_json(row) for row in measured]}, FOLDER / "bench.json")
    console.print(f"Written: {FOLDER / 'bench.json'}", soft_wrap=True)
    raise typer.Exit(1 if any(row.holds is False for row in measured) else 0)


def rows(rounds: int, million: bool) -> Iterator[Row]:
    yield from function_rows(FOLDER, rounds)
    yield from call_rows()
    yield from decision_rows()
    yield from simulation_rows(million)
    yield from scale_rows()


def table(measured: list[Row]) -> Table:
    found = Table(title="Benchmarks", title_justify="left")
    found.add_column("what")
    for heading in ("measured", "wanted"):
        found.add_column(heading, justify="right", no_wrap=True)
    found.add_column("how", overflow="fold")
    for row in measured:
        colour = {True: "green", False: "red", None: "default"}[row.holds]
        found.add_row(row.name, f"[{colour}]{row.value:,.2f} {row.unit}[/]", row.wanted, row.detail)
    return found


def as_json(row: Row) -> dict[str, object]:
    return {**asdict(row), "holds": row.holds}


if __name__ == "__main__":
    typer.run(main)
