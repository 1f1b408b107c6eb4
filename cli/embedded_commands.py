"""`pilotlight demo`, `origin` and `interrupt`: runs on an AWS embedded in this computer."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

import typer

from cli import demo as demos
from cli import origin as origins
from cli.clouds import embedded_cloud
from cli.deploy import ROOT
from cli.explained import explained
from cli.interrupted import run_interrupted
from cli.live import view_for
from cli.options import Speed
from cli.report import write_json
from cli.results import print_results, write_results
from cli.terminal import console
from local.cloud import EmbeddedCloud


def demo(
    short: Annotated[
        bool, typer.Option("--short", help="Two instances and one wave, as in CI.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=500, help="Jobs of a wave; 12, or 6 with --short.")
    ] = None,
    waves: Annotated[
        int, typer.Option(min=1, max=50, help="Waves, each when the pool sleeps again.")
    ] = 1,
    speed: Speed = 6.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the cloud running afterwards, until Ctrl-C.")
    ] = False,
) -> None:
    """Deploy to an embedded AWS, let the pool fall asleep, send PyTorch jobs, watch it wake.

    Leaves report.json, report.html and timeline.png in build/demo. Exits 1 unless every job has
    exactly one result.
    """
    folder = ROOT / "build" / "demo"
    plan = demos.short_plan(jobs or 6) if short else demos.long_plan(jobs or 12, waves)
    with explained(), EmbeddedCloud(folder / "cloud", speed=speed) as cloud:
        run = demos.run_demo(cloud, plan, folder, speed, view_for(console))
        write_results(run, folder)
        print_results(run, folder, console)
        if keep:
            console.print(f"Its stack is {demos.STACK_NAME}: tell each command --stack-name.")
            wait_for_interrupt(cloud.environment())
    console.print(run.tally.verdict, highlight=False)
    raise typer.Exit(0 if run.tally.flawless else 1)


def origin(speed: Speed = 6.0) -> None:
    """Raise the desired capacity from 1 to 2 by hand and read torch's version in the new instance.

    Deploys to the embedded AWS of AWS_ENDPOINT_URL if set, else to one of its own. Leaves
    build/origin/report.json.
    """
    folder = ROOT / "build" / "origin"
    with explained(), embedded_cloud(folder / "cloud", speed) as cloud:
        found = origins.run_origin(cloud, folder, speed, view_for(console))
    write_json(asdict(found), folder / "report.json")
    console.print(found.sentence, highlight=False, soft_wrap=True)


def interrupt(speed: Speed = 6.0) -> None:
    """Interrupt a PyTorch training twice and compare its losses with one that was left alone.

    Deploys to an embedded AWS. Leaves report.json and loss_curves.png in build/interrupt. Exits 1
    unless both results are the same to the last bit.
    """
    from cli.loss_curves import draw_loss_curves  # matplotlib, which no other command needs

    folder = ROOT / "build" / "interrupt"
    with explained(), EmbeddedCloud(folder / "cloud", speed=speed) as cloud:
        found = run_interrupted(cloud, "pilotlight-interrupt", folder, view_for(console))
    write_json(found.document(), folder / "report.json")
    draw_loss_curves(found.curves, folder / "loss_curves.png")
    console.print(found.sentence, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found.same else 1)


def wait_for_interrupt(environment: Mapping[str, str]) -> None:
    """Keep the cloud until Ctrl-C, and say how to reach it."""
    console.print("The cloud stays until Ctrl-C. In another shell:")
    for name, value in environment.items():
        console.print(f"export {name}={value}", highlight=False, soft_wrap=True)
    with suppress(KeyboardInterrupt):
        signal.pause()
