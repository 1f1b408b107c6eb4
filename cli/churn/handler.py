"""The handler that a churn run deploys in place of the example, which stays as jobs.example.

A witness outside of the instance hears over TCP when an attempt begins, has saved and is complete;
the connection ends with the attempt. What ran is known so, whatever becomes of instance, log and
table.

    {"task": "count", "tenths": 50, "patient": true, "saves": false}
    {"task": "train", "seed": 7, "steps": 2000}
    {"task": "raise"}, {"task": "crash"}: jobs that can never succeed
    {"task": "echo", "data": anything}: over at once, and no witness is told
"""

import importlib
import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilotlight.jobs.job import Job

TENTH_SECONDS = 0.1
TENTHS_BETWEEN_SAVES = 20
WITNESS_SECONDS = 10.0

Say = Callable[[str], None]


class GivenUpError(Exception):
    """The job was told to stop and does not wait for the end of its time."""


class PoisonError(Exception):
    """The job can never succeed."""


def handle(payload: dict[str, Any], job: Job) -> Any:
    if payload["task"] == "echo":
        return payload["data"]
    with socket.create_connection(payload["witness"], WITNESS_SECONDS) as witness:

        def say(event: str) -> None:
            line = {"job_id": job.job_id, "attempt": job.attempt, "event": event}
            witness.sendall(json.dumps(line).encode() + b"\n")

        say("began")
        result = TASKS[payload["task"]](payload, job, say)
        say("completed")
        return result


def count(payload: dict[str, Any], job: Job, say: Say) -> dict[str, int]:
    done = _saved(job) if payload["saves"] else 0
    while done < payload["tenths"]:
        if job.stopping and not payload["patient"]:
            raise GivenUpError(f"told to stop after {done} of {payload['tenths']}")
        time.sleep(TENTH_SECONDS)
        done += 1
        if payload["saves"] and done % TENTHS_BETWEEN_SAVES == 0:
            _save(done, job)
            say("saved")
    return {"counted": done}


def train(payload: dict[str, Any], job: Job, _say: Say) -> Any:
    example = importlib.import_module("jobs.example")
    return example.handle({key: payload[key] for key in ("task", "seed", "steps")}, job)


def fail(_payload: dict[str, Any], _job: Job, _say: Say) -> None:
    raise PoisonError("this job fails whenever it is tried")


def crash(_payload: dict[str, Any], _job: Job, _say: Say) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _saved(job: Job) -> int:
    path = job.restore()
    return int(path.read_text(encoding="ascii")) if path else 0


def _save(done: int, job: Job) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "count")
        path.write_text(str(done), encoding="ascii")
        job.save(path)


TASKS: dict[str, Callable[[dict[str, Any], Job, Say], Any]] = {
    "count": count,
    "train": train,
    "raise": fail,
    "crash": crash,
}
