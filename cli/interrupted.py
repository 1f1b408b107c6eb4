"""A training that is interrupted twice, beside the same training left alone: are they the same?"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.bring_up import bring_up
from cli.churn.acts import KILL_WORKER
from cli.clouds import Endpoint
from cli.errors import CommandError
from cli.jobs import JobsDesk
from cli.live import View
from cli.recording import Job
from cli.run_command import SHELL_SCRIPT, run_on_instance
from cli.stack import Stack
from cli.trouble import explaining
from cli.watched import Watched, watching
from pilotlight.aws.configured_clients import JobsClients
from pilotlight.client import Client

ALONE, INTERRUPTED = "left-alone", "interrupted"
STEPS = 60_000
ROWS, FEATURES = 16_000, 8  # more than a message holds: the data goes through the bucket
# A second instance goes on with what the first one leaves; what leaves is replaced meanwhile.
PARAMETERS = {"MinSize": "2", "MaxSize": "2", "IdleSeconds": "600"}
LIMIT_SECONDS = 300.0


@dataclass(frozen=True)
class Comparison:
    """Both jobs, each with its result."""

    alone: Job
    interrupted: Job

    @property
    def same(self) -> bool:
        """Every loss, every weight: the checksum in the result is of all of them."""
        return bool(self.alone.result) and self.alone.result == self.interrupted.result

    @property
    def sentence(self) -> str:
        checksums = [json.loads(job.result)["checksum"] for job in (self.alone, self.interrupted)]
        return (
            f"{len(self.interrupted.attempts)} attempts on "
            f"{len({it.instance_id for it in self.interrupted.attempts})} instances: checksum of "
            f"all losses and weights {checksums[1]}, {checksums[0]} when left alone"
        )

    @property
    def curves(self) -> dict[str, list[float]]:
        return {
            job.job_id: json.loads(job.result)["curve"] for job in (self.alone, self.interrupted)
        }

    def document(self) -> dict[str, Any]:
        """For report.json: what each attempt was, and both results with their loss curves."""
        return {
            "same": self.same,
            "attempts": [
                {
                    "attempt": it.attempt,
                    "instance_id": it.instance_id,
                    "state": it.state,
                    "error": it.error,
                    "started_at": it.started_at,
                    "finished_at": it.finished_at,
                }
                for it in self.interrupted.attempts
            ],
            ALONE: json.loads(self.alone.result),
            INTERRUPTED: json.loads(self.interrupted.result),
        }


def run_interrupted(cloud: Endpoint, stack_name: str, folder: Path, view: View) -> Comparison:
    """Deploy, train, interrupt. Raises CommandError, after showing what there is to read."""
    with watching(Stack(stack_name, cloud), view) as watched, explaining(watched, folder):
        bring_up(watched, folder, cloud.environment(), PARAMETERS)
        return Experiment(watched).run()


def training(seed: int) -> dict[str, Any]:
    """A payload for the shipped example, with data of its own."""
    chance = random.Random(seed)  # noqa: S311  the same data each time
    inputs = [[round(chance.gauss(), 6) for _ in range(FEATURES)] for _ in range(ROWS)]
    return {
        "task": "train",
        "seed": seed,
        "steps": STEPS,
        "checkpoint_every": 1_000,
        "inputs": inputs,
        "targets": [round(sum(row) + chance.gauss(0, 0.1), 6) for row in inputs],
    }


class Experiment:
    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._desk = JobsDesk(watched.stack)
        cloud = watched.stack.cloud
        clients = JobsClients(
            cloud.client("cloudformation"),
            cloud.client("sqs"),
            cloud.client("dynamodb"),
            cloud.client("s3"),
        )
        self._client = Client(watched.stack.name, clients=clients)

    def run(self) -> Comparison:
        payload = training(seed=7)
        self._client.submit(payload, job_id=INTERRUPTED)
        self._interrupt(1, "its instance has to leave", self._take_out)
        self._interrupt(2, "its worker is killed", self._kill)
        interrupted = self._result(INTERRUPTED)
        self._client.submit(payload, job_id=ALONE)
        return Comparison(self._result(ALONE), interrupted)

    def _interrupt(self, attempt: int, how: str, act: Callable[[str], None]) -> None:
        """Once this attempt, or a later one, has saved something of its own."""
        job = self._until(
            INTERRUPTED,
            lambda job: job.over or (job.attempt >= attempt and bool(job.checkpoints)),
            f"attempt {attempt} has saved a checkpoint",
        )
        if job.over:
            raise CommandError(
                f"The training was over, {job.state}, before attempt {attempt} could be "
                f"interrupted: give it more than {STEPS} steps."
            )
        self._watched.view.say(f"{job.instance_id}  attempt {job.attempt} trains: {how}")
        act(job.instance_id)

    def _take_out(self, instance_id: str) -> None:
        """As at the end of a scale-in: drained, which tells the job to stop."""
        self._watched.stack.cloud.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
        )

    def _kill(self, instance_id: str) -> None:
        script = {"commands": [KILL_WORKER]}
        run_on_instance(self._watched.stack.cloud, instance_id, SHELL_SCRIPT, script, LIMIT_SECONDS)

    def _result(self, job_id: str) -> Job:
        job = self._until(job_id, lambda job: job.over, f"{job_id} is over")
        if not job.result:
            raise CommandError(f"{job_id} is {job.state}: {job.error}", details=job.output_tail)
        return job

    def _until(self, job_id: str, condition: Callable[[Job], bool], what: str) -> Job:
        found: list[Job] = []

        def holds() -> bool:
            found[:] = self._desk.read([job_id])
            return any(condition(job) for job in found)

        self._watched.wait_until(holds, LIMIT_SECONDS, what)
        return found[0]
