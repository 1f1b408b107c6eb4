"""The jobs of a plan, drawn."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from faults.plan import JobSpec

LEAST_SAVING_SECONDS = 20.0
LAST_BURST_SECONDS = 150.0  # before the end
QUICK_SECONDS = (0.0, 0.01, 0.03, 0.06)
TWIN_SECONDS = (0.0, 0.5, 20.0)


def some_jobs(random: Random, until: float) -> tuple[JobSpec, ...]:
    """A few bursts, and single ones between them; now and then the same id twice."""
    jobs: list[JobSpec] = []
    for _ in range(random.randint(1, 3)):
        at = random.uniform(60.0, until - LAST_BURST_SECONDS)
        jobs += [_job(random, at + random.uniform(0, 5)) for _ in range(random.randint(1, 8))]
    jobs += [_job(random, random.uniform(30.0, until)) for _ in range(random.randint(0, 6))]
    return _named(random, jobs, until)


def quick_jobs(random: Random, until: float) -> tuple[JobSpec, ...]:
    """Bursts of jobs of a few hundredths of a second, so that a worker begins and records many of
    them in one call; here and there one that fails, or takes long, among them."""
    jobs: list[JobSpec] = []
    for _ in range(random.randint(1, 3)):
        at = random.uniform(200.0, until - LAST_BURST_SECONDS)
        for _ in range(random.randint(30, 90)):
            job = _job(random, at + random.uniform(0, 3))
            is_odd = random.random() < 0.03
            jobs.append(job if is_odd else _quick(random, job.at))
    return _named(random, jobs, until)


def jobs_for_all(random: Random, instances: int) -> tuple[JobSpec, ...]:
    """One for each instance, all within seconds, once the pool has had time to fill."""
    at = random.uniform(500.0, 700.0)
    jobs = [JobSpec(at + random.uniform(0, 5), "", 60.0) for _ in range(instances)]
    return _named(random, jobs, at)


def _quick(random: Random, at: float) -> JobSpec:
    in_s3 = random.random() < 0.02
    return JobSpec(at, "", random.choice(QUICK_SECONDS), payload_in_s3=in_s3)


def _job(random: Random, at: float) -> JobSpec:
    does = random.choices(
        ("return", "raise", "crash", "hang", "unjson", "malformed"), (80, 6, 4, 3, 2, 5)
    )[0]
    seconds = random.choice((1.0, 5.0, 20.0, 60.0, 120.0))
    saves = seconds >= LEAST_SAVING_SECONDS and does in ("return", "raise", "crash")
    return JobSpec(
        at,
        "",
        seconds,
        does,
        saves_every_seconds=random.choice((0.0, 15.0, 40.0)) if saves else 0.0,
        payload_in_s3=does != "malformed" and random.random() < 0.15,
    )


def _named(random: Random, jobs: list[JobSpec], until: float) -> tuple[JobSpec, ...]:
    named = [replace(job, job_id=f"job-{number}") for number, job in enumerate(jobs)]
    if named and random.random() < 0.3:
        twin = random.choice(named)
        at = min(until, twin.at + random.choice(TWIN_SECONDS))
        named.append(replace(twin, at=max(at, twin.at)))
    return tuple(sorted(named, key=lambda job: job.at))
