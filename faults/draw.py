"""From a seed to a plan."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

from faults.plan import CALL_FAULTS, EVENT_FAULTS, Fault, JobSpec, Plan, Settings

QUIET_AT = 1200.0
FIRST_FAULT_AT = 5.0
MAX_FAULTS = 12
LEAST_SAVING_SECONDS = 20.0
_CALLED = {
    "functions": (
        "autoscaling",
        "autoscaling.CompleteLifecycleAction",
        "autoscaling.RecordLifecycleActionHeartbeat",
        "autoscaling.DescribeAutoScalingGroups",
        "autoscaling.SetDesiredCapacity",
        "ssm",
        "ssm.SendCommand",
        "ssm.GetCommandInvocation",
        "sqs",
        "sqs.SendMessageBatch",
        "ec2",
        "sns",
        "cloudwatch",
        "*",
    ),
    "workers": (
        "sqs",
        "sqs.ReceiveMessage",
        "sqs.ChangeMessageVisibility",
        "sqs.DeleteMessage",
        "dynamodb",
        "autoscaling",
        "s3",
        "ssm.GetParameter",
        "lambda",
        "*",
    ),
    "jobs": ("s3", "s3.PutObject", "s3.GetObject", "s3.ListObjectsV2"),
}
_ANY_CALL = tuple(kind for kind in CALL_FAULTS if kind not in ("s3_away", "s3_slow", "table_away"))


def draw(seed: int) -> Plan:
    """The same seed gives the same plan."""
    random = Random(f"plan {seed}")
    nobody = Random(f"person {seed}").random() < 0.5
    settings = _settings(random, math.inf if nobody else 120.0)
    jobs = _jobs(random)
    faults = sorted(
        (_fault(random) for _ in range(random.randint(1, MAX_FAULTS))), key=lambda it: it.at
    )
    return Plan(seed, settings, jobs, tuple(faults), QUIET_AT)


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


def _jobs(random: Random) -> tuple[JobSpec, ...]:
    """A few bursts, and single ones between them; now and then the same id twice."""
    jobs: list[JobSpec] = []
    for _ in range(random.randint(1, 3)):
        at = random.uniform(60.0, QUIET_AT - 150.0)
        jobs += [_job(random, at + random.uniform(0, 5)) for _ in range(random.randint(1, 8))]
    jobs += [_job(random, random.uniform(30.0, QUIET_AT)) for _ in range(random.randint(0, 6))]
    named = [replace(job, job_id=f"job-{number}") for number, job in enumerate(jobs)]
    if named and random.random() < 0.3:
        twin = random.choice(named)
        named.append(replace(twin, at=min(QUIET_AT, twin.at + 20.0)))
    return tuple(sorted(named, key=lambda job: job.at))


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


def _fault(random: Random) -> Fault:
    make = random.choices([it[0] for it in _MAKERS], [it[1] for it in _MAKERS])[0]
    return make(random, random.uniform(FIRST_FAULT_AT, QUIET_AT - 30.0))


def _call_fault(random: Random, at: float) -> Fault:
    who = random.choice(("functions", "functions", "functions", "workers", "workers", "jobs"))
    kind = random.choice(_ANY_CALL)
    is_crash = kind.startswith("crash")
    return Fault(
        at,
        kind,
        seconds=random.choice((30.0, 120.0, 300.0)),
        count=1 if is_crash else random.choice((1, 2, 5, 20)),
        who=who,
        what=random.choice(_CALLED[who]),
    )


def _outage(random: Random, at: float) -> Fault:
    kind = random.choice(("call_throttled", "call_broken", "call_unreached"))
    what = random.choice(("autoscaling", "ssm", "sqs", "*"))
    return Fault(at, kind, seconds=random.choice((20.0, 90.0, 240.0)), count=100_000, what=what)


def _away(kind: str, what: str) -> Callable[[Random, float], Fault]:
    def make(random: Random, at: float) -> Fault:
        return Fault(at, kind, random.choice((60.0, 240.0, 600.0)), count=100_000, what=what)

    return make


def _event_fault(random: Random, at: float) -> Fault:
    return Fault(
        at,
        random.choice(EVENT_FAULTS),
        seconds=random.choice((120.0, 600.0)),
        count=random.choice((1, 2, 4)),
        what=random.choice(("aws.autoscaling", "aws.ssm", "*")),
        index=random.randrange(240),
    )


def _with(
    *kinds: str, seconds: tuple[float, ...] = (60.0,), counts: tuple[int, ...] = (1,)
) -> Callable[[Random, float], Fault]:
    def make(random: Random, at: float) -> Fault:
        return Fault(
            at,
            random.choice(kinds),
            seconds=random.choice(seconds),
            count=random.choice(counts),
            index=random.randrange(100),
        )

    return make


_MAKERS: tuple[tuple[Callable[[Random, float], Fault], int], ...] = (
    (_call_fault, 30),
    (_outage, 6),
    (_event_fault, 16),
    (_with("setup_fails", "setup_hangs", "setup_fills_disk", counts=(1, 1, 2, 6)), 6),
    (_with("setup_slow", seconds=(60.0, 200.0)), 2),
    (_with("agent_registers_late", seconds=(60.0, 150.0)), 2),
    (_with("agent_never_registers"), 2),
    (_with("agent_gone", seconds=(60.0, 400.0, 2000.0)), 4),
    (_with("instance_terminated", "instance_stopped"), 5),
    (_with("no_capacity", "no_capacity_in_zone", seconds=(60.0, 300.0, 900.0)), 5),
    (_with("worker_killed"), 5),
    (_with("worker_hangs", seconds=(45.0, 150.0)), 3),
    (_with("worker_cannot_start"), 4),
    (_with("disk_full", seconds=(60.0, 300.0)), 2),
    (_with("clock_skewed", seconds=(-40.0, 20.0, 90.0)), 2),
    (_with("message_doubled", counts=(1, 3)), 5),
    (_with("metrics_missing", seconds=(120.0, 600.0)), 3),
    (_with("function_throttled", "functions_gone", seconds=(20.0, 60.0, 120.0)), 4),
    (_with("invoked_twice", counts=(1, 3)), 4),
    (_away("s3_away", "s3"), 3),
    (_away("s3_slow", "s3"), 3),
    (_away("table_away", "dynamodb"), 3),
    (_with("metadata_away", "metadata_slow", seconds=(30.0, 120.0, 400.0)), 3),
    (_with("stack_updated"), 5),
    (_with("stack_deleted"), 2),
    (_with("capacity_set_by_hand"), 2),
    (_with("spot_notice", "marked_unhealthy"), 4),
)
