"""What the worker makes of its job's word that a checkpoint was saved."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pilotlight.jobs.records import Attributes, Run
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.recording import Recording

# A training loop may save after each step; the table is told no oftener, and at the end.
WRITE_SECONDS = 30.0


class NotesTable(Protocol):
    def amend(self, run: Run, attributes: Attributes) -> bool: ...


class CheckpointNotes:
    """`attributes` is what the table is to know of the attempt's checkpoints; {} without any."""

    def __init__(
        self,
        run: Run,
        table: NotesTable,
        recording: Recording,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._run = run
        self._table = table
        self._recording = recording
        self._clock = clock
        self._log = log
        self._written_at = float("-inf")
        self.attributes: Attributes = {}

    def take(self, message: Mapping[str, Any]) -> None:
        """`message` has number, bytes and seconds of one checkpoint, see run_job."""
        now = self._clock()
        said = {name: message.get(name) for name in ("number", "bytes", "seconds")}
        self._log("job_checkpointed", job_id=self._run.job_id, **said)
        self.attributes = {
            "checkpointed_at": now,
            "checkpoints": int(self.attributes.get("checkpoints", 0)) + 1,
        }
        if now - self._written_at >= WRITE_SECONDS:
            self._written_at = now
            named = {"job_id": self._run.job_id}
            self._recording.once(lambda: self._table.amend(self._run, self.attributes), named)
