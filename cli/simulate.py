"""`pilotlight simulate`: policies on a trace, in virtual time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.explained import announce_wait, explained
from simulator.field import UnknownPolicyError, choose
from simulator.inputs import read_jobs
from simulator.need import prepared_for
from simulator.ours import Ours, with_target
from simulator.prices import UnknownInstanceTypeError, instance_hour
from simulator.run import Entrant
from simulator.run import simulate as simulate_run
from simulator.services import Lognormal, ServiceTimes
from simulator.surroundings import Surroundings
from simulator.trace import Trace, TraceError

TRACE_HELP = (
    "CSV with the columns arrival_s,service_s, in seconds; or NumberOfMessagesSent of a queue as "
    "the AWS CLI (JSON) or the CloudWatch console (CSV) exports it."
)
TraceFile = Annotated[Path, typer.Option("--trace", help=TRACE_HELP)]
ServiceSeconds = Annotated[
    float | None,
    typer.Option(min=0.001, help="Mean work of a job, where the input does not tell it."),
]
ServiceSpread = Annotated[
    float,
    typer.Option(min=0, max=10, help="Its standard deviation over its mean; 0: all jobs alike."),
]
Policies = Annotated[str, typer.Option("--policy", help="`all`, or names with commas between.")]
Seed = Annotated[int, typer.Option(help="Same seed, same result.")]
MinSize = Annotated[int, typer.Option(min=0, max=5000, help="Instances at least.")]
MaxSize = Annotated[int, typer.Option(min=1, max=5000, help="Instances at most.")]
InstanceType = Annotated[str, typer.Option(help="One of simulator/prices.toml.")]
Prepared = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=5000,
        help="MaxGroupPreparedCapacity, the same for all; by default 5/4 of the largest need.",
    ),
]
Volume = Annotated[int, typer.Option(min=1, max=16384, help="Root volume, GiB of gp3.")]
CapacityErrors = Annotated[
    float,
    typer.Option("--ice", min=0, max=0.9, help="Probability that EC2 has no capacity, per start."),
]
StartsPerSecond = Annotated[
    float | None,
    typer.Option(min=0.1, help="Instances EC2 starts a second after 1,000 at once; it says 2."),
]
CallsPerSecond = Annotated[
    float | None,
    typer.Option(min=0.1, help="Calls a second that Auto Scaling's API answers; no limit."),
]
TargetWait = Annotated[
    float | None,
    typer.Option(min=0, help="TargetWaitSeconds of pilotlight; by default the template's."),
]


def simulate(
    trace: TraceFile,
    service_seconds: ServiceSeconds = None,
    service_spread: ServiceSpread = 1.0,
    policy: Policies = "pilotlight",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, a policy each.")] = False,
    seed: Seed = 1,
    min_size: MinSize = 0,
    max_size: MaxSize = 1000,
    instance_type: InstanceType = "g4dn.xlarge",
    prepared: Prepared = None,
    volume_gigabytes: Volume = 30,
    ice: CapacityErrors = 0.0,
    starts_per_second: StartsPerSecond = None,
    calls_per_second: CallsPerSecond = None,
    target_wait_seconds: TargetWait = None,
) -> None:
    """Run scaling policies over a trace of jobs, in virtual time, with the code that Lambda runs.

    Every policy meets the same group, pool, instances, durations and prices.
    """
    with explained():
        jobs = read(trace, services_of(service_seconds, service_spread), seed)
        surroundings = surroundings_for(
            jobs,
            seed=seed,
            min_size=min_size,
            max_size=max_size,
            prepared=prepared,
            instance_type=instance_type,
            volume_gigabytes=volume_gigabytes,
            capacity_error_probability=ice,
            starts_per_second=starts_per_second,
            calls_per_second=calls_per_second,
        )
        results = []
        for entrant in chosen(policy, target_wait_seconds):
            announce_wait(f"{entrant.name} over {len(jobs):,} jobs")
            results.append(simulate_run(jobs, entrant, surroundings))
    if as_json:
        typer.echo(json.dumps([result.as_json() for result in results], indent=2))
    else:
        from cli.results_table import print_simulation  # rich, which JSON does without

        print_simulation(jobs, results)


def surroundings_for(
    trace: Trace,
    *,
    seed: int,
    min_size: int = 0,
    max_size: int = 1000,
    prepared: int | None = None,
    instance_type: str = "g4dn.xlarge",
    volume_gigabytes: int = 30,
    capacity_error_probability: float = 0.0,
    starts_per_second: float | None = None,
    calls_per_second: float | None = None,
) -> Surroundings:
    """Raises CommandError."""
    if min_size > max_size:
        raise CommandError(f"--min-size {min_size} is more than --max-size {max_size}; lower it.")
    try:
        instance_hour(instance_type)
    except UnknownInstanceTypeError as error:
        raise CommandError(f"--instance-type {instance_type}: {error}") from error
    return Surroundings(
        min_size=min_size,
        max_size=max_size,
        prepared=prepared_for(trace, max_size) if prepared is None else prepared,
        instance_type=instance_type,
        volume_gigabytes=volume_gigabytes,
        capacity_error_probability=capacity_error_probability,
        starts_per_second=starts_per_second,
        calls_per_second=calls_per_second,
        seed=seed,
    )


def services_of(mean_seconds: float | None, spread: float) -> ServiceTimes | None:
    """None where nothing is said of them."""
    return None if mean_seconds is None else Lognormal(mean_seconds, spread)


def read(path: Path, services: ServiceTimes | None = None, seed: int = 1) -> Trace:
    """Raises CommandError."""
    try:
        return read_jobs(path, services, seed)
    except TraceError as error:
        raise CommandError(str(error)) from error


def chosen(names: str, target_wait_seconds: float | None) -> tuple[Entrant, ...]:
    """Raises CommandError."""
    ours = Ours() if target_wait_seconds is None else with_target(target_wait_seconds)
    try:
        return choose(names, ours)
    except UnknownPolicyError as error:
        raise CommandError(f"--policy {names}: {error}") from error
