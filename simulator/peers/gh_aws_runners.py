"""Self-hosted GitHub runners of terraform-aws-github-runner: one new runner for each queued job.

Source: github-aws-runners/terraform-aws-github-runner, lambdas/functions/control-plane:
scale-runners/scale-up.ts, scale-runners/scale-down.ts and pool/pool.ts at 4475534a. Runners are the
reusable ones; an event waits its delay on the queue first (`Contestant.look_delay_seconds`).
"""

import math
from dataclasses import dataclass, field

from simulator.peers.counts import bounded, leaving, starting
from simulator.peers.idleness import SteadyCount
from simulator.rules import Contestant, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    batch_size: int = 10  # events that one invocation of scale-up takes from its queue
    idle_count: int = 0  # runners that scale-down leaves alone
    pool_size: int = 0  # idle runners that the pool's schedule tops up to
    scale_down_every_seconds: float = 300.0
    minimum_running_time_seconds: float = 300.0


def new_runners(jobs: int, current: int, maximum: int) -> int:
    """Runners to create for one batch of queued jobs; -1 as `maximum` means no maximum."""
    return jobs if maximum == -1 else max(0, min(jobs, maximum - current))


def pool_top_up(size: int, idle: int, total: int, maximum: int) -> int:
    """Runners that bring the idle ones to the pool's size."""
    return max(0, min(size - idle, maximum - total))


@dataclass(slots=True)
class Runners:
    """The rule, one batch a look; it remembers its scale-down schedule and how old runners are.

    Scale-down takes the oldest first; how many are old enough is how many there were all along.
    """

    settings: Settings = field(default_factory=Settings)
    _old_enough: SteadyCount = field(init=False)
    _next_scale_down: float = -math.inf

    def __post_init__(self) -> None:
        self._old_enough = SteadyCount(self.settings.minimum_running_time_seconds)

    def decide(self, view: View) -> int | None:
        old_enough = self._old_enough.add(view.now, view.in_service)
        jobs = min(self.settings.batch_size, max(0, view.visible - starting(view)))
        new = new_runners(jobs, view.desired, view.max_size)
        idle = view.idle + starting(view)  # the pool counts those that boot
        top_up = pool_top_up(self.settings.pool_size, idle, view.desired, view.max_size)
        if new or top_up:
            return bounded(view.desired + max(new, top_up), view)
        if view.now < self._next_scale_down:
            return None
        self._next_scale_down = view.now + self.settings.scale_down_every_seconds
        surplus = max(0, view.idle - leaving(view) - self.settings.idle_count)
        return bounded(view.desired - min(surplus, old_enough), view)


SOURCE = "terraform-aws-github-runner 4475534a: scale-up.ts, scale-down.ts, pool.ts"


def _tuned() -> Runners:
    return Runners(
        Settings(batch_size=1000, scale_down_every_seconds=60, minimum_running_time_seconds=60)
    )


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="gh-aws-runners",
        make=Runners,
        every_seconds=5,  # about what an invocation takes, one at a time
        memory_seconds=600,
        look_delay_seconds=30,  # delay_webhook_event
        kills_busy=False,
        source=SOURCE,
    ),
    Contestant(
        name="gh-aws-runners-tuned",
        make=_tuned,
        every_seconds=5,
        memory_seconds=120,
        look_delay_seconds=0,
        kills_busy=False,
        source=SOURCE,
        tuned=True,
    ),
)
