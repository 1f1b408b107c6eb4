"""Run one job on this computer, without any AWS: what `python -m jobs` does.

The handler gets a job that can do what it can on an instance: what it saves is kept in a folder
until the job succeeds, and Ctrl-C tells it to stop, a second time ends it.
"""

import argparse
import importlib
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from pilotlight.jobs.checkpoint_folder import CheckpointFolder
from pilotlight.jobs.checkpoints import AttemptCheckpoints, Saved
from pilotlight.jobs.job import Job
from pilotlight.jobs.payload_argument import payload_of
from pilotlight.jobs.records import result_text
from pilotlight.jobs.submission import SubmissionError, submission

SUCCEEDED, FAILED, NOT_STARTED = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the result on standard output and returns 0; else why not on standard error, and 1
    when the handler failed, 2 when it was not called."""
    options = _options(argv)
    try:
        payload = _payload(options.payload, options.id)
        handle = _handler()
    except (SubmissionError, ImportError, AttributeError) as error:
        return _end(NOT_STARTED, str(error))
    kept = CheckpointFolder(options.checkpoints / options.id)
    attempt = 2 if kept.names() else 1
    checkpoints = AttemptCheckpoints(attempt, lambda: kept, time.monotonic, _tell_saved)
    job = Job(options.id, attempt, checkpoints)
    _stop_at_interrupt(job)
    try:
        result = result_text(handle(payload, job))
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return _end(FAILED, _ending(error, job))
    finally:
        checkpoints.close()
    kept.clear()
    sys.stdout.write(result + "\n")
    return SUCCEEDED


def _payload(argument: str, job_id: str) -> Any:
    if argument == "-" and sys.stdin.isatty():
        _tell("the payload is read from here; end it with Ctrl-D")
    payload = payload_of(argument, sys.stdin)
    submission(job_id, payload)  # judges both as the submitting side does
    return payload


def _handler() -> Callable[[Any, Job], Any]:
    try:
        handle: Callable[[Any, Job], Any] = importlib.import_module("jobs.handler").handle
    except ModuleNotFoundError as error:
        if error.name in ("jobs", "jobs.handler"):
            raise ImportError(
                "there is no jobs/handler.py here: put layers/jobs/python on PYTHONPATH"
            ) from error
        raise ImportError(
            f"the handler cannot be imported: {error}. Install what it needs into this "
            f"environment, {sys.prefix}: layers/jobs/requirements.txt, and PyTorch"
        ) from error
    except AttributeError as error:
        raise AttributeError("jobs/handler.py has no function handle(payload, job)") from error
    return handle


def _stop_at_interrupt(job: Job) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _tell("told the job to stop; Ctrl-C again ends it")
        job.request_stop()

    signal.signal(signal.SIGINT, stop)


def _ending(error: BaseException, job: Job) -> str:
    told = f"{type(error).__name__}: {error}"
    if job.stopping:
        return f"given back, not failed: {told}. Run it again to go on from what it saved"
    return f"failed: {told}"


def _tell_saved(saved: Saved) -> None:
    _tell(f"checkpoint {saved.number}: {saved.size_bytes} bytes in {saved.seconds:.3f} s")


def _end(code: int, why: str) -> int:
    _tell(why)
    return code


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m jobs", description="Run one job here, without any AWS."
    )
    parser.add_argument(
        "payload", nargs="?", default="-", help="JSON, @FILE, or - for standard input (default)"
    )
    parser.add_argument("--id", default="local", help="job id; default: %(default)s")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path(".checkpoints"),
        metavar="FOLDER",
        help="what the job saves is kept in FOLDER/ID until it succeeds; default: %(default)s",
    )
    return parser.parse_args(argv)
