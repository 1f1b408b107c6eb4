"""The faults of a plan, drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from faults.plan import CALL_FAULTS, EVENT_FAULTS, Fault

FIRST_FAULT_AT = 5.0
LAST_FAULT_SECONDS = 30.0  # before the end
MAX_FAULTS = 12
_SERVICES = {
    "functions": ("autoscaling", "ssm", "sqs", "ec2", "sns", "cloudwatch", "dynamodb", "*"),
    "workers": ("sqs", "dynamodb", "autoscaling", "s3", "lambda", "logs", "*"),
    "jobs": ("s3",),
}
# Whatever they call; tests/faults/test_draw.py holds them to it.
CALLED = {
    "functions": (
        "autoscaling.CompleteLifecycleAction",
        "autoscaling.CreateOrUpdateTags",
        "autoscaling.DescribeAutoScalingGroups",
        "autoscaling.DescribeAutoScalingInstances",
        "autoscaling.DescribeScalingActivities",
        "autoscaling.DescribeWarmPool",
        "autoscaling.PutWarmPool",
        "autoscaling.RecordLifecycleActionHeartbeat",
        "autoscaling.ResumeProcesses",
        "autoscaling.SetDesiredCapacity",
        "autoscaling.SetInstanceHealth",
        "autoscaling.SuspendProcesses",
        "cloudwatch.GetMetricData",
        "dynamodb.BatchGetItem",
        "dynamodb.PutItem",
        "ec2.CreateTags",
        "ec2.DescribeInstances",
        "sns.Publish",
        "sqs.ChangeMessageVisibility",
        "sqs.GetQueueAttributes",
        "sqs.SendMessageBatch",
        "ssm.GetCommandInvocation",
        "ssm.ListCommandInvocations",
        "ssm.SendCommand",
    ),
    "workers": (
        "autoscaling.SetInstanceHealth",
        "autoscaling.SetInstanceProtection",
        "dynamodb.BatchExecuteStatement",
        "dynamodb.PutItem",
        "dynamodb.UpdateItem",
        "lambda.GetLayerVersionByArn",
        "logs.CreateLogStream",
        "logs.PutLogEvents",
        "s3.DeleteObject",
        "s3.GetObject",
        "s3.ListObjectsV2",
        "sqs.ChangeMessageVisibility",
        "sqs.DeleteMessageBatch",
        "sqs.GetQueueAttributes",
        "sqs.ReceiveMessage",
        "sqs.SendMessage",
        "ssm.GetParameter",
    ),
    "jobs": ("s3.DeleteObject", "s3.GetObject", "s3.ListObjectsV2", "s3.PutObject"),
}
_ANY_CALL = tuple(kind for kind in CALL_FAULTS if kind not in ("s3_away", "s3_slow", "table_away"))


def some_faults(random: Random, until: float) -> list[Fault]:
    return [_fault(random, until) for _ in range(random.randint(1, MAX_FAULTS))]


def batch_faults(random: Random, jobs_at: Sequence[float]) -> list[Fault]:
    """Of what a worker does for many jobs in one call, while there are such."""
    return [
        Fault(
            random.choice(jobs_at),
            random.choice(("batch_in_part", random.choice(_ANY_CALL))),
            seconds=random.choice((10.0, 120.0)),
            count=random.choice((1, 3, 10)),
            who="workers",
            what=random.choice(("dynamodb.BatchExecuteStatement", "sqs.DeleteMessageBatch")),
        )
        for _ in range(random.randint(1, 4))
    ]


def no_capacity_for_hours(random: Random, until: float) -> Fault:
    """In one zone, or in none."""
    return Fault(
        random.uniform(60.0, until / 3),
        random.choice(("no_capacity", "no_capacity_in_zone")),
        seconds=random.choice((3600.0, 5400.0)),
        index=random.randrange(100),
    )


def _fault(random: Random, until: float) -> Fault:
    make = random.choices([it[0] for it in _MAKERS], [it[1] for it in _MAKERS])[0]
    return make(random, random.uniform(FIRST_FAULT_AT, until - LAST_FAULT_SECONDS))


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
        what=random.choice(random.choice((_SERVICES[who], CALLED[who]))),
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
    (_with("clock_skewed", seconds=(-200.0, -40.0, 20.0, 90.0, 200.0)), 2),
    (_with("visibility_lapsed", "message_doubled", counts=(1, 3)), 6),
    (_with("metrics_missing", "metrics_late", seconds=(120.0, 600.0)), 4),
    (_with("function_throttled", "functions_gone", seconds=(20.0, 60.0, 120.0)), 4),
    (_with("invoked_twice", seconds=(120.0, 300.0), counts=(1, 3)), 5),
    (_away("s3_away", "s3"), 3),
    (_away("s3_slow", "s3"), 3),
    (_away("table_away", "dynamodb"), 3),
    (_with("metadata_away", "metadata_slow", seconds=(30.0, 120.0, 400.0)), 3),
    (_with("stack_updated"), 5),
    (_with("stack_deleted"), 2),
    (_with("capacity_set_by_hand"), 2),
    (_with("spot_notice", "marked_unhealthy"), 4),
)
