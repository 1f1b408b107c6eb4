"""Sending dead-lettered jobs back to work, and putting right what the table says of lost ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from cli.dead_letters import DeadLetterQueue, Letter
from cli.jobs import JobsDesk
from cli.recording import Job
from cli.stack import Stack
from pilotlight.aws.attribute_values import typed
from pilotlight.jobs.records import KEEP_SECONDS

UNENDED = ("running", "failed", "interrupted")


class Verdict(StrEnum):
    """What is to be done with a dead letter of which a replay was asked for."""

    REPLAY = "replayed"
    HAS_RESULT = "not replayed: has its result already"
    UNDER_WAY = "not replayed: is under way already, by another message"
    MALFORMED = "not replayed: is no job that a worker can read: send it anew, put right"
    CHANGED = "not replayed: changed meanwhile: ask again"


def verdict(letter: Letter, job: Job | None) -> Verdict:
    """`job` is what the table says of it; None when no worker has ever begun it."""
    if letter.is_malformed:
        return Verdict.MALFORMED
    if job is None or job.state in ("dead_lettered", "queued"):
        return Verdict.REPLAY
    if job.state == "succeeded":
        return Verdict.HAS_RESULT
    return Verdict.REPLAY if is_lost(letter, job) else Verdict.UNDER_WAY


def is_lost(letter: Letter, job: Job) -> bool:
    """Whether SQS moved the message by itself: its last worker died, or never said what became.

    The letter is then the very message of the latest attempt, and that will not come again.
    """
    return not letter.reason and job.state in UNENDED and job.message_id == letter.message_id


def lost_reason(job: Job) -> str:
    """What stands for the reason that nobody was there to give."""
    return (
        f"moved by SQS after {job.attempt} deliveries; the last of them, on {job.instance_id}, "
        + ("never ended: its worker was lost" if job.state == "running" else f"{job.state}")
        + (f" ({job.error})" if job.error else "")
    )


def replayed_body(letter: Letter) -> str:
    """The same message; one without a job_id gets that which it had until now."""
    document = json.loads(letter.body)
    if "job_id" in document:
        return letter.body
    return json.dumps({"job_id": letter.job_id, **document})


@dataclass(frozen=True)
class Replayed:
    letter: Letter
    verdict: Verdict


class Replay:
    """First the table, then the queue, then out of the dead letters.

    A worker that got the message before the table is ready would dead-letter it again. When it
    breaks off, the letter is still there, and doing it again does no harm: at worst there are two
    messages of the same job, and its result is recorded once.
    """

    def __init__(self, stack: Stack, desk: JobsDesk, queue: DeadLetterQueue) -> None:
        self._desk = desk
        self._queue = queue
        self._table = JobsTable(stack)

    def run(self, letters: list[Letter], told: Callable[[Replayed], None]) -> None:
        """Replay each job once, however many letters it has; `told` hears of every letter."""
        jobs = {job.job_id: job for job in self._desk.read({it.job_id for it in letters})}
        sent: set[str] = set()
        for letter in letters:
            found = verdict(letter, jobs.get(letter.job_id))
            if found is Verdict.REPLAY and letter.job_id not in sent:
                found = self._replay(letter, jobs.get(letter.job_id))
            if found is Verdict.REPLAY:
                sent.add(letter.job_id)
            if found in (Verdict.REPLAY, Verdict.HAS_RESULT):
                self._queue.delete(letter)
            told(Replayed(letter, found))

    def _replay(self, letter: Letter, job: Job | None) -> Verdict:
        if not self._table.requeue(letter.job_id, job):
            return Verdict.CHANGED
        self._desk.send([replayed_body(letter)])
        return Verdict.REPLAY


class JobsTable:
    """What an operator writes into the jobs table: each only if the job is still as it was read."""

    def __init__(self, stack: Stack) -> None:
        self._dynamodb = stack.cloud.client("dynamodb")
        self._name = stack.output("JobsTableName")

    def requeue(self, job_id: str, job: Job | None) -> bool:
        """Let the job begin anew, with all its attempts. False when it changed meanwhile.

        Attempts are numbered on, from the one that was the last (attempt_offset).
        """
        return self._update(
            job_id,
            job,
            {
                "state": "queued",
                "failures": 0,
                "interruptions": 0,
                "attempt_offset": job.attempt if job else 0,
                "expires_at": int(time.time()) + KEEP_SECONDS,
            },
            remove=("dead_lettered_at", "finished_at"),
        )

    def declare_dead(self, job: Job, reason: str, now: float) -> bool:
        """Of a job that SQS gave up while nobody was there to say so."""
        ended = {"state": "dead_lettered", "dead_lettered_at": now, "error": reason}
        return self._update(job.job_id, job, ended)

    def _update(
        self, job_id: str, job: Job | None, values: dict[str, Any], remove: tuple[str, ...] = ()
    ) -> bool:
        condition, seen = _as_seen(job)
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in values)
        if remove:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
        values_by_name = {f":{name}": value for name, value in values.items()} | seen
        names = {*values, *remove, *(("state", "started_at") if job else ())}
        try:
            self._dynamodb.update_item(
                TableName=self._name,
                Key={"job_id": {"S": job_id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in names},
                ExpressionAttributeValues={k: typed(value) for k, value in values_by_name.items()},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _as_seen(job: Job | None) -> tuple[str, dict[str, Any]]:
    """A condition, and the values in it: no other attempt began, and the state is the same."""
    if job is None:
        return "attribute_not_exists(job_id)", {}
    if job.started_at is None:
        return "#state = :seen_state AND attribute_not_exists(#started_at)", {
            ":seen_state": job.state
        }
    return "#state = :seen_state AND #started_at = :seen_start", {
        ":seen_state": job.state,
        ":seen_start": job.started_at,
    }
