"""AWS Deadline Cloud's fleets: so many workers a minute, a standby, and idle ones shut down.

Source: AWS Deadline Cloud API, the auto scaling configurations of fleets
(scaleOutWorkersPerMinute 10, standbyWorkerCount 0, workerIdleDurationSeconds 300).
"""

from collections import deque
from dataclasses import dataclass, field

from simulator.peers.counts import bounded
from simulator.peers.idleness import IdleInstances
from simulator.rules import Contestant, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    scale_out_workers_per_minute: int = 10
    standby_worker_count: int = 0
    worker_idle_duration_seconds: float = 300.0


@dataclass(slots=True)
class Fleet:
    """The rule; it remembers the last minute's launches and how long workers have been idle."""

    settings: Settings = field(default_factory=Settings)
    _launches: deque[tuple[float, int]] = field(default_factory=deque)
    _idle: IdleInstances = field(init=False)

    def __post_init__(self) -> None:
        self._idle = IdleInstances(self.settings.worker_idle_duration_seconds)

    def decide(self, view: View) -> int | None:
        removable = self._idle.removable(view)
        wanted = view.visible + view.in_flight + self.settings.standby_worker_count
        wanted = bounded(wanted, view)
        if wanted <= view.desired:
            return max(wanted, view.desired - removable)
        new = min(wanted - view.desired, self._allowed(view.now))
        if new:
            self._launches.append((view.now, new))
        return view.desired + new

    def _allowed(self, now: float) -> int:
        """Workers that may still be added in the minute that ends now."""
        while self._launches and self._launches[0][0] <= now - 60:
            self._launches.popleft()
        return self.settings.scale_out_workers_per_minute - sum(n for _, n in self._launches)


SOURCE = "AWS Deadline Cloud API: fleets' auto scaling configuration"


def _tuned() -> Fleet:
    return Fleet(Settings(scale_out_workers_per_minute=1000, worker_idle_duration_seconds=60))


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="deadline-cloud",
        make=Fleet,
        every_seconds=10,
        memory_seconds=300,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
    ),
    Contestant(
        name="deadline-cloud-tuned",
        make=_tuned,
        every_seconds=10,
        memory_seconds=60,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
