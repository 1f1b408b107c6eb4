"""Hears a job process through its checks, each within its time."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pilotlight.worker.job_process import Ended, Event, Printed, Said

POLL_SECONDS = 0.5
# From a cold disk torch takes half a minute to read; what hangs, hangs for good.
LIMIT_SECONDS = 180.0
START_SECONDS = 60.0
DETAIL_CHARACTERS = 600


class CheckedProcess(Protocol):
    def events(self, timeout_seconds: float) -> Sequence[Event]: ...


@dataclass(frozen=True)
class CheckResult:
    name: str
    ok: bool
    detail: str
    seconds: float


def hear_checks(
    process: CheckedProcess, names: Sequence[str], clock: Callable[[], float]
) -> list[CheckResult]:
    """One result for each name, in order; the process is fit when all are ok.

    What the process was at when it ended or stayed silent too long is what failed; the checks
    after that are reported as not run.
    """
    listener = _Listener(names, clock)
    while not listener.finished:
        for event in process.events(POLL_SECONDS):
            listener.hear(event)
        listener.look_at_clock()
    return listener.results


class _Listener:
    def __init__(self, names: Sequence[str], clock: Callable[[], float]) -> None:
        self._names = names
        self._clock = clock
        self._since = clock()
        self._limit_seconds = START_SECONDS
        self._printed: deque[str] = deque(maxlen=5)
        self.results: list[CheckResult] = []
        self.finished = False

    def hear(self, event: Event) -> None:
        if isinstance(event, Printed):
            self._printed.append(event.line)
        elif isinstance(event, Ended):
            self._give_up(event.how)
        elif isinstance(event, Said):
            self._hear_message(event.message)

    def look_at_clock(self) -> None:
        if self._clock() - self._since > self._limit_seconds:
            self._give_up(f"no answer within {self._limit_seconds:.0f} s")

    def _hear_message(self, message: dict[str, Any]) -> None:
        if message["kind"] == "checking":
            self._since, self._limit_seconds = self._clock(), LIMIT_SECONDS
        elif message["kind"] == "checked":
            detail = str(message["detail"])[:DETAIL_CHARACTERS]
            result = CheckResult(message["name"], message["ok"], detail, message["seconds"])
            self.results.append(result)
        elif message["kind"] in ("ready", "unfit"):
            self.finished = True

    def _give_up(self, why: str) -> None:
        if self.finished:
            return
        self.finished = True
        remaining = self._names[len(self.results) :]
        seconds = round(self._clock() - self._since, 3)
        for name in remaining[:1]:
            detail = " | ".join([why, *self._printed])[:DETAIL_CHARACTERS]
            self.results.append(CheckResult(name, False, detail, seconds))
        for name in remaining[1:]:
            detail = f"not run: the process ended in {remaining[0]}"
            self.results.append(CheckResult(name, False, detail, 0.0))
