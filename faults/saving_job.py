"""A job that saves checkpoints, and goes on from the newest when it runs again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Protocol

from faults.bucket import BUCKET
from faults.clients import Caller, Client
from faults.ledger import Ledger
from faults.tasks import Tasks
from pilotlight.aws.bucket import S3Checkpoints
from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs.checkpoints import AttemptCheckpoints, Saved
from pilotlight.jobs.job import Job


class Surroundings(Protocol):
    """What a job meets; `time` is the module's stand-in."""

    tasks: Tasks
    time: SimpleNamespace
    ledger: Ledger

    def client(self, service: str, caller: Caller) -> Client: ...


class Speaker(Caller, Protocol):
    """The process in which it runs, which speaks to the worker."""

    def say(self, **message: Any) -> None: ...

    def answer(self, **message: Any) -> None:
        """The job is done, in one way or another."""
        ...


class SavingJob:
    """The user's handler: so many seconds of work, with a checkpoint after each part of them.

    Checkpoints are the shipped ones; the file that is saved is a real one and holds the seconds
    that are done. When it is told to stop it saves once more and gives up.
    """

    def __init__(
        self,
        around: Surroundings,
        process: Speaker,
        request: Mapping[str, Any],
        finish: Callable[[], None],
    ) -> None:
        self._around = around
        self._process = process
        self._ledger = around.ledger
        self._payload = request["payload"]
        self._finish = finish
        self._checkpoints = AttemptCheckpoints(
            request["attempt"], self._open_store, around.time.monotonic, self._report
        )
        self._job = Job(request["job_id"], request["attempt"], self._checkpoints)

    def stop(self) -> None:
        self._job.request_stop()

    def run(self) -> None:
        """In a task of its process."""
        with TemporaryDirectory(prefix="job-", ignore_cleanup_errors=True) as folder:
            try:
                end = self._work(Path(folder) / "progress")
            except AWS_CALL_ERRORS as error:
                end = partial(self._process.answer, kind="error", error=f"Checkpoint: {error}")
            finally:
                self._checkpoints.close()
        end()

    def _work(self, progress: Path) -> Callable[[], None]:
        """What the handler comes to."""
        done, wanted = self._restore(), self._payload["seconds"]
        while done < wanted:
            part = min(self._payload["saves_every_seconds"], wanted - done)
            self._around.tasks.sleep(part)
            done += part
            progress.write_text(str(done), encoding="utf-8")
            self._job.save(progress)
            self._ledger.saved(self._job.job_id, done)
            if self._job.stopping:
                return partial(self._process.answer, kind="error", error="told to stop")
        return self._finish

    def _restore(self) -> float:
        saved = self._job.restore()
        done = float(saved.read_text(encoding="utf-8")) if saved is not None else 0.0
        self._ledger.restored(self._job.job_id, self._job.attempt, done)
        return done

    def _open_store(self) -> S3Checkpoints:
        client: Any = self._around.client("s3", self._process)
        return S3Checkpoints(client, BUCKET, self._job.job_id)

    def _report(self, saved: Saved) -> None:
        self._process.say(
            kind="checkpoint",
            number=saved.number,
            bytes=saved.size_bytes,
            seconds=saved.seconds,
        )
