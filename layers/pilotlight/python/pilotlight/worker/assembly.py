"""Puts the worker together from its parts and boto3's clients."""

import random
import threading
import time
from pathlib import Path

from pilotlight.aws.bucket import S3JobBucket
from pilotlight.aws.dead_letters import SqsDeadLetters
from pilotlight.aws.heartbeats import DynamoDbHeartbeats
from pilotlight.aws.instance_clients import call_limits, instance_session
from pilotlight.aws.jobs_batch import DynamoDbJobsBatch
from pilotlight.aws.jobs_queue import SqsJobsQueue
from pilotlight.aws.jobs_table import DynamoDbJobsTable
from pilotlight.aws.logs import CloudWatchLogStream
from pilotlight.aws.own_instance import AutoScalingOwnInstance
from pilotlight.jobs.attempts import Limits
from pilotlight.jobs.prefetch import MAX_AHEAD, Pace
from pilotlight.jobs.records import Worker
from pilotlight.worker.agent import Agent
from pilotlight.worker.belongings import Belongings
from pilotlight.worker.dead_lettering import DeadLettering, LeftToRedrive
from pilotlight.worker.deletes import Deletes
from pilotlight.worker.drain_files import DrainFiles
from pilotlight.worker.endings import GivingUp
from pilotlight.worker.errands import Errands
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.heartbeat import HeartbeatSender
from pilotlight.worker.home import Home
from pilotlight.worker.intake import Intake
from pilotlight.worker.job_runner import JobRunner, JobSettings
from pilotlight.worker.loop_state import (
    State,
    entering_service,
    perhaps_unprotected,
    policy_of_one,
)
from pilotlight.worker.parts import LeaveSign, Parts
from pilotlight.worker.receiver import Receiver
from pilotlight.worker.results import Results
from pilotlight.worker.settings import WorkerSettings
from pilotlight.worker.slots import Slots
from pilotlight.worker.surroundings import Surroundings
from pilotlight.worker.wake import Stopwatch

# Than slots: results that gather while others run, deletes, and messages that go back.
MORE_ERRANDS = MAX_AHEAD + 2
MORE_CONNECTIONS = MORE_ERRANDS + 3  # the agent, its receives, and the heartbeat


class FileNote:
    """Kept in memory-backed storage: the group protects an instance anew when it starts again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def there(self) -> bool:
        return self._path.exists()

    def write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()

    def erase(self) -> None:
        self._path.unlink(missing_ok=True)


def open_log_stream(settings: WorkerSettings, log_stream: str) -> CloudWatchLogStream:
    client = instance_session(settings.region).client("logs", config=call_limits(connections=1))
    return CloudWatchLogStream(client, settings.log_group, log_stream)


def assemble(
    home: Home,
    settings: WorkerSettings,
    worker: Worker,
    slots: Slots,
    surroundings: Surroundings,
    wake: threading.Event,
    stopwatch: Stopwatch,
    log: EventLog,
) -> tuple[Agent, HeartbeatSender]:
    session = instance_session(settings.region)
    errands = Errands(settings.jobs_per_instance + MORE_ERRANDS)
    limits = call_limits(connections=2 * settings.jobs_per_instance + MORE_CONNECTIONS)
    sqs = session.client("sqs", config=limits)
    queue = SqsJobsQueue(sqs, settings.queue_url, time.time)
    dead_letters = SqsDeadLetters(sqs, settings.dead_letter_queue_url)
    dynamodb = session.client("dynamodb", config=limits)
    table = DynamoDbJobsTable(dynamodb, settings.jobs_table)
    batch = DynamoDbJobsBatch(dynamodb, settings.jobs_table)
    autoscaling = session.client("autoscaling", config=limits)
    bucket = S3JobBucket(lambda: session.client("s3", config=limits), settings.bucket)
    leave_sign = LeaveSign()
    note = FileNote(home.unprotected_file)
    deletes = Deletes(queue, errands.do, log)
    pace = Pace(settings.jobs_per_instance)
    runner = JobRunner(
        queue=queue,
        deletes=deletes,
        table=table,
        batch=batch,
        results=Results(batch, pace, log),
        belongings=Belongings(bucket, log),
        giving_up=_giving_up(settings, dead_letters, deletes, log),
        stop=leave_sign,
        worker=worker,
        settings=JobSettings(
            settings.visibility_timeout_seconds,
            settings.job_timeout_seconds,
            settings.job_memory_mib,
        ),
        clock=time.time,
        sleep=time.sleep,
        log=log,
    )
    parts = Parts(
        around=surroundings,
        slots=slots,
        inlet=Receiver(queue, wake.set),
        intake=Intake(slots, runner, errands, pace, time.time),
        instance=AutoScalingOwnInstance(autoscaling, settings.group_name, worker.instance_id),
        depth=queue,
        drain_files=DrainFiles(home),
        note=note,
        leave_sign=leave_sign,
        stopwatch=stopwatch,
        clock=time.time,
        random=random.Random(worker.instance_id),  # noqa: S311  spreads calls, keeps no secret
        log=log,
    )
    chance = parts.random
    policy = policy_of_one(
        settings.idle_seconds, settings.watch_seconds, settings.drain_seconds, chance.random()
    )
    heartbeat = HeartbeatSender(
        DynamoDbHeartbeats(dynamodb, settings.heartbeats_table),
        worker.instance_id,
        settings.heartbeat_seconds,
        time.time,
        time.sleep,
        log,
    )
    return Agent(parts, policy, _first_state(note, chance)), heartbeat


def _giving_up(
    settings: WorkerSettings, dead_letters: SqsDeadLetters, deletes: Deletes, log: EventLog
) -> GivingUp:
    if not settings.dead_letter_queue_url:
        return LeftToRedrive()
    limits = Limits(settings.max_attempts, settings.max_receive_count)
    return DeadLettering(limits, dead_letters, deletes, log)


def _first_state(note: FileNote, chance: random.Random) -> State:
    now = time.time()
    return perhaps_unprotected(now) if note.there() else entering_service(now, chance.random())
