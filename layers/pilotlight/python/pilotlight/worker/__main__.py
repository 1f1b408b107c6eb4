"""`python -m pilotlight.worker`: the service that takes jobs on this instance."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from functools import partial
from types import FrameType

from pilotlight.errors import SettingsError
from pilotlight.jobs.records import Worker
from pilotlight.worker.agent import Agent
from pilotlight.worker.checks import LIGHT_CHECKS
from pilotlight.worker.disk import is_full
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.heartbeat import HeartbeatSender
from pilotlight.worker.home import Home
from pilotlight.worker.job_process import JobProcess
from pilotlight.worker.job_user import job_user
from pilotlight.worker.liveness import WRITE_SECONDS, Liveness, write_liveness
from pilotlight.worker.log_buffer import LogBuffer
from pilotlight.worker.log_shipping import LogShipper, log_stream_name
from pilotlight.worker.loop_state import IN_SERVICE, Action
from pilotlight.worker.metadata import InstanceMetadata, MetadataError
from pilotlight.worker.scratch import sweep
from pilotlight.worker.settings import WorkerSettings, parse_settings
from pilotlight.worker.slots import Slots
from pilotlight.worker.surroundings import Surroundings
from pilotlight.worker.wake import Stopwatch, start_stopwatch
from pilotlight.worker.watchdog import must_step_again

STEP_SECONDS = 0.25
METADATA_RETRY_SECONDS = 1.0
# Of the seconds that systemd grants for stopping (TimeoutStopSec); jobs come first.
LAST_LINES_SECONDS = 5.0
MAX_TRACE_CHARACTERS = 4_000


def main() -> int:
    shipper = LogShipper(LogBuffer())
    home = Home.from_environment(os.environ)
    stopwatch = start_stopwatch(home, time.time)
    stopwatch.lap("worker_start")
    log = EventLog(sys.stdout, time.time, shipper)
    try:
        settings = parse_settings(home.settings_file.read_text(encoding="utf-8"))
    except (OSError, SettingsError) as error:
        log("settings_unusable", error=str(error))
        return 1
    metadata = InstanceMetadata(os.environ)
    instance_id = _instance_id(metadata, log)
    log = EventLog(sys.stdout, time.time, shipper, instance_id=instance_id)
    try:
        return _work(home, settings, instance_id, metadata, stopwatch, shipper, log)
    except Exception:
        log("worker_failed", error=traceback.format_exc()[-MAX_TRACE_CHARACTERS:])
        raise
    finally:
        shipper.close(LAST_LINES_SECONDS)


def _work(
    home: Home,
    settings: WorkerSettings,
    instance_id: str,
    metadata: InstanceMetadata,
    stopwatch: Stopwatch,
    shipper: LogShipper,
    log: EventLog,
) -> int:
    log_stream = log_stream_name(instance_id, time.time())
    log("worker_started", pid=os.getpid(), log_stream=log_stream)
    sweep(home.scratch)
    wake = threading.Event()
    slots = Slots(
        settings.jobs_per_instance,
        lambda slot: JobProcess(
            LIGHT_CHECKS,
            settings.device,
            _job_environment(os.environ, settings, home),
            job_user(home, slot),
        ),
        LIGHT_CHECKS,
        time.time,
        wake.set,
        log,
    )
    surroundings = Surroundings(
        metadata, settings.drain_seconds, partial(is_full, home.root), time.time, log
    )
    if surroundings.target() == IN_SERVICE:
        slots.open()  # first of all: the import of torch takes longest, and a job is waiting
    stopwatch.lap("settings")
    # Imports boto3, hence only now.
    from pilotlight.worker.assembly import assemble, open_log_stream

    worker = Worker(instance_id, settings.log_group, log_stream)
    agent, heartbeat = assemble(home, settings, worker, slots, surroundings, wake, stopwatch, log)
    shipper.start(open_log_stream(settings, log_stream), log)
    stopwatch.lap("boto3")
    heartbeat.start()
    return _run(agent, home, slots, wake, heartbeat)


def _instance_id(metadata: InstanceMetadata, log: EventLog) -> str:
    while True:
        try:
            return metadata.instance_id()
        except MetadataError as error:
            log("metadata_unreachable", error=str(error))
            time.sleep(METADATA_RETRY_SECONDS)


def _job_environment(
    environ: Mapping[str, str], settings: WorkerSettings, home: Home
) -> Mapping[str, str]:
    """Several jobs at once share the processors; torch alone would give all of them to each."""
    shared = {
        "PILOTLIGHT_DEVICE": settings.device,
        "PILOTLIGHT_BUCKET": settings.bucket,
        "AWS_REGION": settings.region,
        "TMPDIR": str(home.scratch),
    }
    if settings.jobs_per_instance > 1:
        threads = max(1, (os.cpu_count() or 1) // settings.jobs_per_instance)
        shared["OMP_NUM_THREADS"] = str(threads)
    return {**environ, **shared}


def _run(
    agent: Agent, home: Home, slots: Slots, wake: threading.Event, heartbeat: HeartbeatSender
) -> int:
    def terminate(_signal: int, _frame: FrameType | None) -> None:
        agent.terminating = True  # and no wake.set(): its lock may be held by this very thread

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGINT, terminate)
    written_at = 0.0
    while True:
        action = agent.step()
        if action is Action.EXIT:
            slots.close()
            return 0
        if action is Action.REPORT_UNHEALTHY:
            # Not restarted after 0 (Restart=on-failure): it is the group's to replace this one.
            return 0 if agent.report_unhealthy() else 1
        now = time.time()
        if now - written_at >= WRITE_SECONDS:
            written_at = now
            must_step_again()
            heartbeat.loop_turned()
            write_liveness(
                home, Liveness(os.getpid(), str(agent.reason), slots.running, round(now, 3))
            )
        if action is Action.WAIT:
            wake.wait(STEP_SECONDS)
            wake.clear()


if __name__ == "__main__":
    sys.exit(main())
