"""The worker's settings: the JSON text of an SSM parameter that the stack writes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pilotlight.errors import SettingsError

DEVICES = ("cpu", "cuda")
MAX_VISIBILITY_SECONDS = 43_200  # SQS's limit
MAX_JOB_TIMEOUT_SECONDS = 43_200  # at which SQS's limit of 12 hours comes first


@dataclass(frozen=True)
class WorkerSettings:
    queue_url: str
    dead_letter_queue_url: str  # "": the queue is not ours, and its redrive policy sees to it
    jobs_table: str
    heartbeats_table: str
    bucket: str
    group_name: str
    log_group: str
    region: str
    layers: Mapping[str, str]  # layer's folder -> ARN of the layer version
    template_version: str
    heartbeat_seconds: int
    visibility_timeout_seconds: int
    job_timeout_seconds: int
    idle_seconds: int
    watch_seconds: int  # 0: capacity is looked at once a minute
    drain_seconds: int
    jobs_per_instance: int
    max_attempts: int
    max_receive_count: int
    job_memory_mib: int  # 0 is no limit
    device: str


def parse_settings(text: str) -> WorkerSettings:
    """Fields that this version does not know are left alone: the stack may be newer than the code.

    Raises SettingsError naming the field, its value and the remedy.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"the worker settings are not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError("the worker settings are not a JSON object")
    return WorkerSettings(
        queue_url=_text(document, "queue_url"),
        dead_letter_queue_url=_text(document, "dead_letter_queue_url", at_least=0),
        jobs_table=_text(document, "jobs_table"),
        heartbeats_table=_text(document, "heartbeats_table"),
        bucket=_text(document, "bucket"),
        group_name=_text(document, "group_name"),
        log_group=_text(document, "log_group"),
        region=_text(document, "region"),
        layers=_layers(document),
        template_version=_text(document, "template_version"),
        heartbeat_seconds=_whole(document, "heartbeat_seconds", 1, 3_600),
        visibility_timeout_seconds=_whole(
            document, "visibility_timeout_seconds", 10, MAX_VISIBILITY_SECONDS
        ),
        job_timeout_seconds=_whole(document, "job_timeout_seconds", 1, MAX_JOB_TIMEOUT_SECONDS),
        idle_seconds=_whole(document, "idle_seconds", 0, 86_400),
        watch_seconds=_whole(document, "watch_seconds", 0, 60),
        drain_seconds=_whole(document, "drain_seconds", 0, 172_800),
        jobs_per_instance=_whole(document, "jobs_per_instance", 1, 1_000),
        max_attempts=_whole(document, "max_attempts", 1, 1_000),
        max_receive_count=_whole(document, "max_receive_count", 2, 1_000),
        job_memory_mib=_whole(document, "job_memory_mib", 0, 1 << 30),
        device=_device(document),
    )


def _text(document: Mapping[str, Any], name: str, at_least: int = 1) -> str:
    value = document.get(name)
    if not isinstance(value, str) or len(value) < at_least:
        raise _wrong(name, value, f"a text of at least {at_least} characters")
    return value


def _whole(document: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _wrong(name, value, f"a whole number from {low} to {high}")
    return value


def _layers(document: Mapping[str, Any]) -> Mapping[str, str]:
    value = document.get("layers")
    wanted = ("pilotlight", "jobs")
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in wanted):
        raise _wrong("layers", value, '{"pilotlight": ARN, "jobs": ARN}')
    return {key: value[key] for key in wanted}


def _device(document: Mapping[str, Any]) -> str:
    device = _text(document, "device")
    if device not in DEVICES:
        raise _wrong("device", device, " or ".join(DEVICES))
    return device


def _wrong(name: str, value: object, wanted: str) -> SettingsError:
    return SettingsError(
        f"{name} is {value!r} in the worker settings: it has to be {wanted}; "
        "deploy the stack again, or correct the SSM parameter"
    )
