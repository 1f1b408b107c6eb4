"""What the time between the start of the instance and the first receive is spent on."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pilotlight.worker.home import Home, write_atomically
from pilotlight.worker.marker import read_marker

START_TIME_FIELD = 21  # "starttime" of /proc/PID/stat, the 22nd field (proc(5))


@dataclass(frozen=True)
class CodeCheck:
    """When the latest check of settings and code began and ended, in epoch seconds."""

    began_at: float
    ended_at: float


def note_code_check(home: Home, check: CodeCheck) -> None:
    write_atomically(home.code_check_file, json.dumps(asdict(check)))


def read_code_check(home: Home) -> CodeCheck | None:
    """None when none was made since the instance started, as when a worker is run by hand."""
    try:
        return CodeCheck(**json.loads(home.code_check_file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def process_started_at(pid: int) -> float | None:
    """In epoch seconds, to a hundredth; None where the kernel does not tell."""
    try:
        # The second field is the program's name in parentheses, and may hold anything.
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        ticks = int(after_name.split()[START_TIME_FIELD - 2])
        since_boot = ticks / os.sysconf("SC_CLK_TCK")
        return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
    except (OSError, AttributeError, ValueError, IndexError):
        return None


class Stopwatch:
    """Laps with names, which together are all the time since `began_at`."""

    def __init__(self, began_at: float, clock: Callable[[], float]) -> None:
        self._latest_at = began_at
        self._clock = clock
        self.spent: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        return round(sum(self.spent.values()), 3)

    def lap(self, name: str, until: float | None = None) -> None:
        """All since the lap before was spent on this; `until` is now unless it is given."""
        until = self._clock() if until is None else until
        seconds = max(0.0, until - self._latest_at)
        self.spent[name] = round(self.spent.get(name, 0.0) + seconds, 3)
        self._latest_at = max(until, self._latest_at)


def start_stopwatch(home: Home, clock: Callable[[], float]) -> Stopwatch:
    """In this process; laps before it are known when it is the first worker since the start.

    `boot` begins with the system manager, which starts this service; the kernel's own second
    before that is not in it. At the very first start the whole setup comes before the service.
    """
    check = read_code_check(home)
    own_start = process_started_at(os.getpid()) or clock()
    manager_start = process_started_at(os.getppid())
    if check is None or manager_start is None or home.liveness_file.exists():
        return Stopwatch(own_start, clock)
    marker = read_marker(home)
    was_set_up = marker is not None and marker.finished_at < manager_start
    stopwatch = Stopwatch(manager_start, clock)
    stopwatch.lap("boot" if was_set_up else "setup", until=check.began_at)
    stopwatch.lap("code_check", until=check.ended_at)
    return stopwatch
