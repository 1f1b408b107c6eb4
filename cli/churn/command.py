"""`pilotlight churn` and `pilotlight hostile`: real faults on the embedded AWS."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cli.churn.fleet import fleet
from cli.churn.hostile import make_messages
from cli.churn.hostile_run import make_canary, run_hostile
from cli.churn.plan import LONG, SHORT, make_plan
from cli.churn.report import as_document, print_churn
from cli.churn.run import PARAMETERS, run_churn
from cli.deploy import ROOT
from cli.explained import explained
from cli.live import view_for
from cli.options import Speed
from cli.report import write_json
from cli.terminal import console
from local.cloud import EmbeddedCloud

Seed = Annotated[int, typer.Option(help="Same seed, same jobs and strikes.")]
HOSTILE_LIMIT_SECONDS = 3600.0
# One instance, so that the queue and not the fleet is tried.
HOSTILE_PARAMETERS = {"MinSize": "1", "MaxSize": "1", "JobsPerInstance": "4"}


def churn(
    short: Annotated[
        bool, typer.Option("--short", help="40 jobs and a minute of strikes, as in CI.")
    ] = False,
    seed: Seed = 1,
    speed: Speed = 6.0,
) -> None:
    """Pull capacity up and down, kill, stop, drain and cut off, while 300 jobs go through.

    Deploys to an embedded AWS and leaves report.json in build/churn. Exits 1 unless every job has
    exactly one result, and every poisoned one is a dead letter with its reason.
    """
    folder = ROOT / "build" / "churn"
    plan = make_plan(seed, SHORT if short else LONG)
    with (
        explained(),
        EmbeddedCloud(folder / "cloud", speed=speed) as cloud,
        fleet(cloud, "pilotlight-churn", PARAMETERS, folder, view_for(console)) as watched,
    ):
        found = run_churn(watched, cloud, plan)
    write_json(as_document(found), folder / "report.json")
    print_churn(found, console)
    console.print(found.verdict.sentence, highlight=False)
    raise typer.Exit(0 if found.verdict.flawless else 1)


def hostile(
    messages: Annotated[int, typer.Option(min=10, max=100_000, help="A tenth is bad.")] = 10_000,
    seed: Seed = 1,
    speed: Speed = 6.0,
) -> None:
    """Send messages of which a tenth is malformed, oversized or an attack, to one real worker.

    Deploys to an embedded AWS and leaves report.json in build/hostile. Exits 1 unless each good
    one has its result, each bad one is a dead letter with its reason, nothing was executed, and no
    payload is in the log.
    """
    folder = ROOT / "build" / "hostile"
    canary = make_canary()
    with (
        explained(),
        EmbeddedCloud(folder / "cloud", speed=speed) as cloud,
        fleet(
            cloud, "pilotlight-hostile", HOSTILE_PARAMETERS, folder, view_for(console)
        ) as watched,
    ):
        verdict = run_hostile(
            watched,
            make_messages(seed, messages, canary),
            canary,
            folder / "cloud/instances",
            HOSTILE_LIMIT_SECONDS,
        )
    write_json(asdict(verdict), folder / "report.json")
    for kind, count in verdict.missing.items():
        console.print(f"{count} of kind {kind!r} did not become what they should", highlight=False)
    console.print(verdict.sentence, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if verdict.flawless else 1)
