"""`pilotlight churn`: a fleet pulled apart while jobs go through it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.churn.plan import LONG, SHORT, make_plan
from cli.churn.report import as_document, print_churn
from cli.churn.run import run_churn
from cli.deploy import ROOT
from cli.live import view_for
from cli.report import write_json
from cli.terminal import console, explained
from local.cloud import EmbeddedCloud

STACK_NAME = "pilotlight-churn"


def churn(
    short: Annotated[
        bool, typer.Option("--short", help="40 jobs and a minute of strikes, as in CI.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same jobs and strikes.")] = 1,
    speed: Annotated[
        float,
        typer.Option(min=0.1, max=100, help="Divides the time that EC2 and CloudWatch take here."),
    ] = 6.0,
) -> None:
    """Pull capacity up and down, kill, stop, drain and cut off, while 300 jobs go through.

    Deploys to an embedded AWS and leaves report.json in build/churn. Exits 1 unless every job has
    exactly one result, and every poisoned one is a dead letter with its reason.
    """
    folder = ROOT / "build" / "churn"
    plan = make_plan(seed, SHORT if short else LONG)
    with explained(), EmbeddedCloud(folder / "cloud", speed=speed) as cloud:
        found = run_churn(cloud, STACK_NAME, plan, folder, view_for(console))
    write_json(as_document(found), folder / "report.json")
    print_churn(found, console)
    console.print(found.verdict.sentence, highlight=False)
    raise typer.Exit(0 if found.verdict.flawless else 1)
