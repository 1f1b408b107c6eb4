"""`pilotlight convert`: a published trace into the columns that are simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.explained import announce_wait, explained
from cli.terminal import console
from simulator.originals import read_original
from simulator.trace import TraceError, write_trace


def convert(
    original: Annotated[Path, typer.Argument(help="Philly's log, or Azure's CSV.")],
    out: Annotated[Path, typer.Option(help="Where the trace is written.")],
    stretch: Annotated[
        float, typer.Option(min=0.001, help="Multiplies the time between arrivals.")
    ] = 1.0,
) -> None:
    """Make a trace (arrival_s,service_s) of a published file: docs/compare.md says where."""
    with explained():
        announce_wait(f"reading {original}")
        try:
            trace = read_original(original, stretch)
            write_trace(trace, out)
        except TraceError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
    console.print(f"{out}: {len(trace):,} jobs, {trace.work_hours:,.0f} hours of work")
