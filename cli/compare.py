"""`pilotlight compare`: every policy on every trace of a folder, side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.deploy import ROOT
from cli.errors import CommandError
from cli.explained import announce_wait, explained
from cli.report import write_json
from cli.results_table import print_table, results_table
from cli.simulate import (
    InstanceType,
    MaxSize,
    Policies,
    Seed,
    ServiceSeconds,
    ServiceSpread,
    read,
    services_of,
    surroundings_for,
)
from cli.terminal import console
from simulator.comparison import Comparison
from simulator.comparison import compare as compare_policies
from simulator.field import UnknownPolicyError
from simulator.generators import bursty, steady
from simulator.services import ServiceTimes
from simulator.trace import Trace

FOLDER = ROOT / "build" / "compare"

TracesFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder of traces (*.csv) and exports (*.csv, *.json); without one, traces are made "
        "(docs/compare.md)."
    ),
]


def compare(
    traces: TracesFolder = None,
    service_seconds: ServiceSeconds = None,
    service_spread: ServiceSpread = 1.0,
    policy: Policies = "all",
    seed: Seed = 1,
    max_size: MaxSize = 1000,
    instance_type: InstanceType = "g4dn.xlarge",
) -> None:
    """Compare our policy with every peer's on each trace, and say where it wins and where not.

    Leaves compare.json and three pictures for each trace in build/compare.
    """
    with explained():
        draw = _draw()
        FOLDER.mkdir(parents=True, exist_ok=True)
        comparisons = []
        services = services_of(service_seconds, service_spread)
        for trace in traces_of(traces, services, seed):
            surroundings = surroundings_for(
                trace, seed=seed, max_size=max_size, instance_type=instance_type
            )
            announce_wait(f"{policy} over {trace.name}, {len(trace):,} jobs")
            try:
                found = compare_policies(trace, surroundings, policy, os.cpu_count() or 1)
            except UnknownPolicyError as error:
                raise CommandError(f"--policy {policy}: {error}") from error
            comparisons.append(found)
            print_comparison(found)
            draw(found, FOLDER)
    write_json({"traces": [found.as_json() for found in comparisons]}, FOLDER / "compare.json")
    console.print(f"Written: {FOLDER / 'compare.json'}, and pictures beside it.", soft_wrap=True)


def _draw() -> Callable[[Comparison, Path], object]:
    """Raises CommandError, before the long run, where there is nothing to draw with."""
    try:
        from cli.compare_plots import draw  # matplotlib, which no other command needs
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is not installed, and the pictures need it: `make setup` in a clone of "
            "the repository, or `pip install '.[local]'`."
        ) from error
    return draw


def traces_of(folder: Path | None, services: ServiceTimes | None, seed: int) -> list[Trace]:
    """Those of the folder, by name; without a folder the generated ones. Raises CommandError."""
    if folder is None:
        return [bursty(), steady()]
    paths = sorted(path for path in folder.glob("*") if path.suffix in (".csv", ".json"))
    if not paths:
        raise CommandError(
            f"{folder} has no trace (*.csv, *.json). Name another folder, or none for generated "
            "traces."
        )
    return [read(path, services, seed) for path in paths]


def print_comparison(found: Comparison) -> None:
    trace, surroundings = found.trace, found.surroundings
    title = (
        f"{trace.name}: {len(trace):,} jobs, {trace.work_hours:,.0f} hours of work, "
        f"{surroundings.instance_type}, {surroundings.prepared} instances prepared for everybody"
    )
    print_table(results_table(title, found.results))
    for verdict in found.verdicts:
        word, colour = ("yes", "green") if verdict.holds else ("NO", "red")
        console.print(
            f"  [{colour}]{word:>3}[/] {verdict.claim}: {verdict.because}", soft_wrap=True
        )
    console.print()
