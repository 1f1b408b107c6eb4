"""`pilotlight advise`: what to set, what it costs, and whether a Stopped pool is worth it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.clouds import ConfiguredCloud
from cli.errors import CommandError
from cli.explained import announce_wait, explained
from cli.queue_history import read_queue, read_stack
from cli.simulate import (
    TRACE_HELP,
    InstanceType,
    MaxSize,
    Seed,
    ServiceSeconds,
    ServiceSpread,
    Volume,
    read,
    services_of,
    surroundings_for,
)
from cli.stack import Stack
from cli.terminal import console
from simulator.advice import Advice
from simulator.advice import advise as advice_for
from simulator.result import percentile
from simulator.trace import Trace

WaitWorth = Annotated[
    float, typer.Option(min=0, help="USD that an hour is worth in which a job waits.")
]


TraceFile = Annotated[Path | None, typer.Option("--trace", help=TRACE_HELP)]
QueueUrl = Annotated[str | None, typer.Option("--queue", help="URL of a live queue: two weeks.")]
SourceStack = Annotated[
    str | None, typer.Option(help="A stack: its queue, and its jobs table's times.")
]


def advise(
    trace: TraceFile = None,
    queue: QueueUrl = None,
    stack_name: SourceStack = None,
    service_seconds: ServiceSeconds = None,
    service_spread: ServiceSpread = 1.0,
    max_size: MaxSize = 1000,
    instance_type: InstanceType = "g4dn.xlarge",
    volume_gigabytes: Volume = 30,
    wait_worth: WaitWorth = 5.0,
    seed: Seed = 1,
) -> None:
    """Say what pool, watch and target to set for a queue, by a trace, an export or the queue.

    Says so plainly when a Stopped pool is a loss.
    """
    with explained():
        jobs = jobs_of(trace, queue, stack_name, service_seconds, service_spread, seed)
        surroundings = surroundings_for(
            jobs,
            seed=seed,
            max_size=max_size,
            instance_type=instance_type,
            volume_gigabytes=volume_gigabytes,
        )
        announce_wait(f"every way to run {len(jobs):,} jobs")
        advice = advice_for(jobs, surroundings, wait_worth, os.cpu_count() or 1)
    console.print(ways_table(advice))
    for line in sentences(advice):
        console.print(line, highlight=False, soft_wrap=True)


def jobs_of(
    trace: Path | None,
    queue: str | None,
    stack_name: str | None,
    service_seconds: float | None,
    service_spread: float,
    seed: int,
) -> Trace:
    """Of the one source that is named. Raises CommandError."""
    if sum(source is not None for source in (trace, queue, stack_name)) != 1:
        raise CommandError("Name one of --trace FILE, --queue URL and --stack-name NAME.")
    services = services_of(service_seconds, service_spread)
    if trace is not None:
        return read(trace, services, seed)
    cloud = ConfiguredCloud()
    if queue is not None:
        return read_queue(cloud, queue, services, service_spread, seed)
    return read_stack(Stack(str(stack_name), cloud), services, service_spread, seed)


def ways_table(advice: Advice) -> Table:
    table = Table(title="A month of such days", title_justify="left")
    table.add_column("way")
    for heading in ("prepared", "p50 s", "p95 s", "waited h", "USD", "USD with the wait"):
        table.add_column(heading, justify="right")
    for way in sorted(advice.ways, key=lambda way: way.price(advice.wait_worth_usd_an_hour)):
        waits = way.result.waits_seconds
        table.add_row(
            way.name,
            f"{way.prepared:,}",
            *(f"{percentile(waits, percent):,.1f}" for percent in (50, 95)),
            f"{way.waited_hours_a_month:,.0f}",
            f"{way.usd_a_month:,.2f}",
            f"{way.price(advice.wait_worth_usd_an_hour):,.2f}",
        )
    return table


def sentences(advice: Advice) -> list[str]:
    best = advice.best
    settings = (
        f"Set MinSize={best.min_size}, MaxPreparedCapacity={best.prepared}, "
        f"TargetWaitSeconds={best.target_wait_seconds:g}, WatchSeconds={best.watch_seconds:g}."
    )
    expectation = (
        f"Expect a wait of {percentile(best.result.waits_seconds, 50):,.1f} s (p50), "
        f"{best.result.wait_p95_s:,.1f} s (p95), and USD {best.usd_a_month:,.2f} a month."
    )
    return [settings, expectation, pool_sentence(advice)]


def pool_sentence(advice: Advice) -> str:
    """Whether the pool pays, with the number that decides it."""
    worth = f"USD {advice.wait_worth_usd_an_hour:,.2f}"
    disks = f"Its disks are USD {advice.disks_usd_a_month:,.2f} a month"
    even = advice.break_even_usd_an_hour
    saves_wait = advice.saved_hours_a_month > 0
    if advice.pool_is_a_loss and even is None:
        return f"A Stopped pool is a loss: it saves no wait. {disks}. Best: {advice.best.name}."
    if advice.pool_is_a_loss:
        return (
            f"A Stopped pool is a loss: it pays {'when' if saves_wait else 'while'} an hour of "
            f"waiting is worth {'more' if saves_wait else 'less'} than USD {even:,.2f}, and it is "
            f"taken to be worth {worth}. {disks}. Best: {advice.best.name}."
        )
    if saves_wait:
        return (
            f"The Stopped pool is worth it: it pays from USD {even:,.2f} for an hour of waiting, "
            f"which is taken to be worth {worth}. {disks}."
        )
    cheaper = (
        f"The Stopped pool is worth it: it costs USD {advice.saved_usd_a_month:,.2f} a month less "
        f"than {advice.without_pool.name!r},"
    )
    if even is None:
        return f"{cheaper} for no longer a wait. {disks}."
    return (
        f"{cheaper} and pays up to USD {even:,.2f} for an hour of waiting, which is taken to be "
        f"worth {worth}. {disks}."
    )
