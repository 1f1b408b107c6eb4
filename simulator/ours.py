"""The policy that runs in Lambda, as it is shipped, looking at a simulated queue and group."""

from __future__ import annotations

from dataclasses import dataclass, field

from local.group.clock import Schedule
from pilotlight.scaling.decision import Observation, Policy, QueueDepth, desired_capacity
from pilotlight.scaling.watch import pause_seconds
from simulator.arrivals import ArrivalMetric
from simulator.crew import Crew
from simulator.fleet import Fleet

NAME = "pilotlight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our policy as an entrant; with nothing said it is what the template ships.

    The other fields are those of a Contestant.
    """

    name: str = NAME
    policy: Policy = field(default_factory=Policy)
    watch_seconds: int = 3  # the template's WatchSeconds
    idle_seconds: float = 60.0  # the template's IdleSeconds
    look_delay_seconds: float = 0.0
    kills_busy: bool = False
    worker_idle_exit_seconds: float | None = None

    @property
    def jobs_per_instance(self) -> int:
        return self.policy.jobs_per_instance


def with_target(target_wait_seconds: float, name: str = NAME) -> Ours:
    """The template's TargetWaitSeconds, everything else as it ships."""
    return Ours(name=name, policy=Policy(target_wait_seconds=target_wait_seconds))


class OurLook:
    """What a tick of the watch does: read the queue and the group, decide."""

    def __init__(
        self,
        schedule: Schedule,
        crew: Crew,
        fleet: Fleet,
        arrivals: ArrivalMetric,
        ours: Ours,
    ) -> None:
        self._schedule = schedule
        self._crew = crew
        self._fleet = fleet
        self._arrivals = arrivals
        self._policy = ours.policy
        self._watch_seconds = ours.watch_seconds
        self._capacity = 0

    def decide(self) -> int | None:
        self._capacity = desired_capacity(self._observe(), self._policy).capacity
        return self._capacity

    @property
    def every_seconds(self) -> float:
        return pause_seconds(self._watch_seconds, self._arrivals.history())

    def still_for_seconds(self) -> float:
        """The decision has no memory: the same sight gives the same answer, and only the arrival
        history, each minute, changes by itself."""
        if self._crew.queue or self._capacity != self._fleet.group.desired_capacity:
            return 0.0
        return self._arrivals.next_change_at - self._schedule.now()

    def _observe(self) -> Observation:
        group, crew = self._fleet.group, self._crew
        settings, members = group.settings, group.members
        in_service = members.in_service
        return Observation(
            queue=QueueDepth(visible=len(crew.queue), in_flight=crew.in_flight, delayed=0),
            desired=group.desired_capacity,
            min_size=settings.min_size,
            max_size=settings.max_size,
            in_service=in_service,
            protected=in_service - len(members.removable),
            starting=members.launching,
            warm=members.pool_total,
            history=self._arrivals.history(),
        )
