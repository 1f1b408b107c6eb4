"""From a seed to a plan."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from random import Random

from faults.drawn_faults import batch_faults, no_capacity_for_hours, some_faults
from faults.drawn_jobs import jobs_for_all, quick_jobs, some_jobs
from faults.plan import Fault, JobSpec, Plan, Settings

QUIET_AT = 1200.0
HOURS_SECONDS = 9000.0
FLEETS = (100, 100, 200, 500)
# Of a thousand seeds so many are of a kind of their own; the rest is as usual.
OF_QUICK_JOBS = 120
OF_HOURS = 30
OF_HUNDREDS = 5


def draw(seed: int) -> Plan:
    """The same seed gives the same plan."""
    random = Random(f"plan {seed}")
    nobody = Random(f"person {seed}").random() < 0.5
    settings = _settings(random, math.inf if nobody else 120.0)
    lot = Random(f"kind {seed}").randrange(1000)
    if lot < OF_QUICK_JOBS:
        return _of_quick_jobs(seed, settings, random)
    lot -= OF_QUICK_JOBS
    if lot < OF_HOURS:
        return _for_hours(seed, settings, random)
    lot -= OF_HOURS
    if lot < OF_HUNDREDS:
        return _of_hundreds(seed, settings, random)
    return _plan(seed, settings, some_jobs(random, QUIET_AT), some_faults(random, QUIET_AT))


def _of_quick_jobs(seed: int, settings: Settings, random: Random) -> Plan:
    jobs, faults = quick_jobs(random, QUIET_AT), some_faults(random, QUIET_AT)
    return _plan(seed, settings, jobs, faults + batch_faults(random, [job.at for job in jobs]))


def _for_hours(seed: int, settings: Settings, random: Random) -> Plan:
    faults = [no_capacity_for_hours(random, HOURS_SECONDS), *some_faults(random, HOURS_SECONDS)]
    return _plan(seed, settings, some_jobs(random, HOURS_SECONDS), faults, HOURS_SECONDS)


def _of_hundreds(seed: int, settings: Settings, random: Random) -> Plan:
    """A pool of hundreds is set up at once, and woken at once. The hook's heartbeat is the
    template's, since reconcile sees to a hundred waits in each pass."""
    size = random.choice(FLEETS)
    fleet = replace(
        settings,
        min_size=0,
        max_size=size,
        max_prepared=None,
        max_usd_per_day=0.0,
        heartbeat_seconds=7200,
    )
    return _plan(seed, fleet, jobs_for_all(random, size), some_faults(random, QUIET_AT))


def _plan(
    seed: int,
    settings: Settings,
    jobs: tuple[JobSpec, ...],
    faults: Iterable[Fault],
    quiet_at: float = QUIET_AT,
) -> Plan:
    return Plan(seed, settings, jobs, tuple(sorted(faults, key=lambda it: it.at)), quiet_at)


def _settings(random: Random, person_seconds: float) -> Settings:
    max_size = random.randint(1, 6)
    min_size = random.choice((0, 0, 1, 1, 2))
    limited = random.random() < 0.2
    slow = random.random() < 0.15  # the setup outlasts the hook unless its heartbeat is recorded
    return Settings(
        min_size=min(min_size, max_size),
        max_size=max_size,
        pool_min_size=random.choice((0, 0, 1, 2)),
        max_prepared=random.choice((None, None, max_size, max(1, max_size - 1))),
        reuse_on_scale_in=random.random() < 0.7,
        jobs_per_instance=random.choice((1, 1, 1, 2)),
        watch_seconds=random.choice((0, 10, 20)),
        target_wait_seconds=random.choice((1.0, 60.0, 60.0)),
        idle_seconds=random.choice((15, 30, 60)),
        max_usd_per_day=random.choice((24.0, 48.0, 72.0)) if limited else 0.0,
        instance_usd_per_hour=1.0 if limited else 0.0,
        drain_seconds=random.choice((0, 20, 40, 90)),
        max_setup_failures=random.choice((2, 3)),
        person_seconds=person_seconds,
        heartbeat_seconds=240 if slow else 7200,
        setup_timeout_seconds=600 if slow else 240,
        real_setup_seconds=random.uniform(300.0, 400.0) if slow else random.uniform(20.0, 90.0),
        real_boot_seconds=random.uniform(4.0, 15.0),
    )
