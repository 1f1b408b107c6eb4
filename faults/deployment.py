"""What the template tells the functions and the workers of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from faults.systems_manager import DRAIN, READINESS

if TYPE_CHECKING:
    from faults.world import World

GROUP = "pilotlight-workers"
TABLE = "jobs"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


def worker_settings(world: World) -> str:
    """The SSM parameter."""
    now = world.settings
    return json.dumps(
        {
            "queue_url": world.jobs.url,
            "dead_letter_queue_url": world.dead_letters.url,
            "jobs_table": TABLE,
            "group_name": GROUP,
            "log_group": "/pilotlight/pilotlight/workers",
            "bucket": "pilotlight-jobs",
            "region": "us-east-1",
            "layers": {"pilotlight": "arn:1", "jobs": "arn:2"},
            "template_version": "1",
            "visibility_timeout_seconds": now.visibility_timeout_seconds,
            "job_timeout_seconds": now.job_timeout_seconds,
            "idle_seconds": now.idle_seconds,
            "drain_seconds": now.drain_seconds,
            "jobs_per_instance": now.jobs_per_instance,
            "max_attempts": now.max_attempts,
            "max_receive_count": now.max_receive_count,
            "job_memory_mib": 0,
            "device": "cpu",
        }
    )


def function_settings(world: World) -> Mapping[str, str]:
    """The environment variables, those of all functions together."""
    now = world.settings
    values = {
        "GROUP_NAME": GROUP,
        "READINESS_DOCUMENT": READINESS,
        "DRAIN_DOCUMENT": DRAIN,
        "SETUP_TIMEOUT_SECONDS": now.setup_timeout_seconds,
        "DRAIN_SECONDS": now.drain_seconds,
        "RETRY_SECONDS": now.retry_seconds,
        "LIFECYCLE_QUEUE_URL": world.lifecycle.url,
        "COMMAND_RESULT_QUEUE_URL": world.results.url,
        "JOBS_QUEUE_URL": world.jobs.url,
        "JOBS_PER_INSTANCE": now.jobs_per_instance,
        "WATCH_QUEUE_URL": world.watch.url,
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
        "ALERT_TOPIC_ARN": TOPIC,
    }
    return {name: str(value) for name, value in values.items()}
