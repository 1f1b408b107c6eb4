"""The worker's sign of life: a file that says what it does, rewritten every few seconds."""

import json
import os
from dataclasses import dataclass

from pilotlight.worker.home import Home, write_atomically

WRITE_SECONDS = 3.0
STALE_SECONDS = 30.0


@dataclass(frozen=True)
class Liveness:
    pid: int
    reason: str  # of the worker's latest step, see loop_state.Reason
    running: int
    at: float  # epoch seconds

    def holds(self, now: float) -> bool:
        """Whether a worker is there: its process exists, and said so not too long ago."""
        return now - self.at < STALE_SECONDS and _exists(self.pid)


def write_liveness(home: Home, liveness: Liveness) -> None:
    write_atomically(home.liveness_file, json.dumps(vars(liveness)))


def read_liveness(home: Home) -> Liveness | None:
    """None when no worker has run since the instance started."""
    try:
        document = json.loads(home.liveness_file.read_text(encoding="utf-8"))
        return Liveness(**document)
    except (OSError, ValueError, TypeError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
