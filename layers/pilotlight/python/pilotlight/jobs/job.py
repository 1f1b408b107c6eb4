"""What the user's handler gets besides the payload: who it is, when to stop, and checkpoints."""

from pathlib import Path
from threading import Event
from typing import Protocol


class Checkpoints(Protocol):
    def save(self, path: Path) -> None: ...
    def restore(self) -> Path | None: ...


class NoCheckpoints:
    """For a handler that is called by hand: nothing was saved before, and nothing is kept."""

    def save(self, path: Path) -> None:
        path.stat()  # what is not there is an error here as well

    def restore(self) -> Path | None:
        return None


class Job:
    """`job` in `def handle(payload, job)`."""

    def __init__(
        self, job_id: str, attempt: int = 1, checkpoints: Checkpoints | None = None
    ) -> None:
        self.job_id = job_id
        self.attempt = attempt  # 1 the first time; more when earlier attempts were lost or failed
        self._checkpoints = checkpoints or NoCheckpoints()
        self._stop_requested = Event()

    @property
    def stopping(self) -> bool:
        """Whether the instance is about to leave; what is not done soon runs again elsewhere."""
        return self._stop_requested.is_set()

    def request_stop(self) -> None:
        self._stop_requested.set()

    def save(self, path: str | Path) -> None:
        """Keep this file or folder for the next attempt, in place of what was saved before.

        When this returns the checkpoint is safe; when it raises, the one before is.
        """
        self._checkpoints.save(Path(path))

    def restore(self) -> Path | None:
        """What an earlier attempt, or this one, saved last; None when nothing was.

        It is a copy that is removed when the job ends.
        """
        return self._checkpoints.restore()
