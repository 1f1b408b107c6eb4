"""What the template makes of its parameters: for the group, the functions and the workers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

from faults.bucket import BUCKET
from faults.code_layers import LAYERS, layer_arn
from faults.plan import Settings
from faults.queues import Queue
from faults.systems_manager import DRAIN, READINESS
from local.group.settings import CONTINUE, GroupSettings, Hook, Placement, WarmPool
from local.group.states import HookKind

GROUP = "pilotlight-workers"
TABLE = "jobs"
HEARTBEATS = "heartbeats"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
UPDATE_POLICY = {
    "Strategy": "Rolling",
    "Preferences": {
        "MinHealthyPercentage": 100,
        "MaxHealthyPercentage": 110,
        "ScaleInProtectedInstances": "Wait",
        "SkipMatching": True,
    },
}
PLACEMENTS = tuple(
    Placement(f"us-east-1{zone}", f"use1-az{zone}", f"subnet-{zone}") for zone in "abc"
)


class Resources(Protocol):
    """The queues of a stack, and the parameters that it was deployed with last."""

    jobs: Queue
    dead_letters: Queue
    lifecycle: Queue
    results: Queue
    watch: Queue

    @property
    def settings(self) -> Settings: ...


def group_settings(settings: Settings) -> GroupSettings:
    return GroupSettings(
        settings.min_size,
        settings.max_size,
        PLACEMENTS,
        new_instances_protected_from_scale_in=True,
    )


def hooks(settings: Settings) -> tuple[Hook, ...]:
    heartbeat_seconds = settings.heartbeat_seconds
    return (
        Hook("ready", HookKind.LAUNCHING, heartbeat_seconds),
        Hook("drain", HookKind.TERMINATING, heartbeat_seconds, default_result=CONTINUE),
    )


def warm_pool(settings: Settings) -> WarmPool:
    return WarmPool(
        min_size=settings.pool_min_size,
        max_group_prepared_capacity=settings.max_prepared,
        reuse_on_scale_in=settings.reuse_on_scale_in,
    )


def worker_settings(stack: Resources, code_version: int) -> str:
    """The SSM parameter."""
    now = stack.settings
    return json.dumps(
        {
            "queue_url": stack.jobs.url,
            "dead_letter_queue_url": stack.dead_letters.url,
            "jobs_table": TABLE,
            "heartbeats_table": HEARTBEATS,
            "group_name": GROUP,
            "log_group": "/pilotlight/pilotlight/workers",
            "bucket": BUCKET,
            "region": "us-east-1",
            "layers": {layer: layer_arn(layer, code_version) for layer in LAYERS},
            "template_version": "1",
            "heartbeat_seconds": 60,
            "visibility_timeout_seconds": now.visibility_timeout_seconds,
            "job_timeout_seconds": now.job_timeout_seconds,
            "idle_seconds": now.idle_seconds,
            "watch_seconds": now.watch_seconds,
            "drain_seconds": now.drain_seconds,
            "jobs_per_instance": now.jobs_per_instance,
            "max_attempts": now.max_attempts,
            "max_receive_count": now.max_receive_count,
            "job_memory_mib": 0,
            "device": "cpu",
        }
    )


def function_settings(
    stack: Resources, code_version: int, template_version: int
) -> Mapping[str, str]:
    """The environment variables, those of all functions together."""
    now = stack.settings
    values = {
        "GROUP_NAME": GROUP,
        "READINESS_DOCUMENT": READINESS,
        "DRAIN_DOCUMENT": DRAIN,
        "SETUP_TIMEOUT_SECONDS": now.setup_timeout_seconds,
        "DRAIN_SECONDS": now.drain_seconds,
        "RETRY_SECONDS": now.retry_seconds,
        "LIFECYCLE_QUEUE_URL": stack.lifecycle.url,
        "COMMAND_RESULT_QUEUE_URL": stack.results.url,
        "JOBS_QUEUE_URL": stack.jobs.url,
        "JOBS_PER_INSTANCE": now.jobs_per_instance,
        "WATCH_QUEUE_URL": stack.watch.url,
        "WATCH_SECONDS": now.watch_seconds,
        "TARGET_WAIT_SECONDS": now.target_wait_seconds,
        "START_SECONDS": now.start_seconds,
        "MAX_USD_PER_DAY": now.max_usd_per_day,
        "INSTANCE_USD_PER_HOUR": now.instance_usd_per_hour,
        "SCHEDULE": "",
        "POOL_MIN_SIZE": now.pool_min_size,
        "MAX_PREPARED_CAPACITY": -1 if now.max_prepared is None else now.max_prepared,
        "MANAGE_POOL": "false",
        "POOL_CONFIDENCE_PERCENT": 99,
        "ROOT_VOLUME_GIB": 30,
        "MAX_DISK_USD_PER_MONTH": 0,
        "MAX_SETUP_FAILURES": now.max_setup_failures,
        "SETUP_VERSIONS": " ".join(
            (*(layer_arn(layer, code_version) for layer in LAYERS), str(template_version))
        ),
        "ALERT_TOPIC_ARN": TOPIC,
        "HEARTBEATS_TABLE": HEARTBEATS,
        "HEARTBEAT_OVERDUE_SECONDS": 300,
    }
    return {name: str(value) for name, value in values.items()}
