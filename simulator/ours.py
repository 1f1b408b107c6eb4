"""The policy that runs in Lambda, as it is shipped, looking at a simulated queue and group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from local.group.clock import Schedule
from pilotlight.scaling.decision import (
    Decision,
    Observation,
    Policy,
    QueueDepth,
    Reason,
    desired_capacity,
)
from pilotlight.scaling.watch import pause_seconds
from simulator.arrivals import ArrivalMetric
from simulator.crew import Crew
from simulator.fleet import Fleet
from simulator.news import News

NAME = "pilotlight"
HALF_MINUTE_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our policy as an entrant; with nothing said it is what the template ships.

    The other fields are those of a Contestant.
    """

    name: str = NAME
    policy: Policy = field(default_factory=Policy)
    watch_seconds: int = 1  # the template's WatchSeconds
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
        news: News,
        crew: Crew,
        fleet: Fleet,
        arrivals: ArrivalMetric,
        ours: Ours,
    ) -> None:
        self._schedule = schedule
        self._news = news
        self._crew = crew
        self._fleet = fleet
        self._arrivals = arrivals
        self._policy = ours.policy
        self._watch_seconds = ours.watch_seconds
        self._seen = (-1, 0, 0)
        self._capacity = 0
        self._new_minute()

    def decide(self) -> int | None:
        """The decision has no memory: the same sight gives the same answer. That a job begins is no
        news, but it leaves the queue."""
        seen = (self._news.count, len(self._crew.queue), self._crew.in_flight)
        if seen != self._seen:
            self._seen = seen
            sight = self._observe()
            decision = desired_capacity(sight, self._policy)
            self._capacity = decision.capacity
            self._news.watches_workers = self._watches_workers(sight, decision)
        return self._capacity

    def _watches_workers(self, sight: Observation, decision: Decision) -> bool:
        """Where nobody waits and nobody has to leave, it matters only to what is due whether those
        who are there sleep, start or serve."""
        wants_fewer = decision.capacity < sight.desired or decision.reason is Reason.HELD_BY_BUSY
        return wants_fewer or bool(self._crew.queue) or bool(self._history.due)

    def is_settled(self) -> bool:
        """Not while a job waits, since it begins without news; a call that was throttled is made
        again; and a new minute shows another history."""
        if self._crew.queue or self._capacity != self._fleet.group.desired_capacity:
            return False
        return self._schedule.now() + self.every_seconds < self._minute_ends_at

    def _new_minute(self) -> None:
        """Of what is to be seen, the arrival history alone changes by itself."""
        self._news.tell()
        self._history = self._arrivals.history()
        self.every_seconds: float = pause_seconds(self._watch_seconds, self._history)
        self._minute_ends_at = self._arrivals.next_change_at
        self._schedule.call_at(self._minute_ends_at, self._new_minute)
        if self._history.due:
            self._schedule.call_at(self._minute_ends_at - HALF_MINUTE_SECONDS, self._half_minute)

    def _half_minute(self) -> None:
        """What is due by the clock comes nearer."""
        self._news.tell()
        seconds_ago = self._history.newest_ended_seconds_ago + HALF_MINUTE_SECONDS
        self._history = replace(self._history, newest_ended_seconds_ago=seconds_ago)

    def _observe(self) -> Observation:
        group, crew = self._fleet.group, self._crew
        settings, members = group.settings, group.members
        in_service = members.in_service
        protected = in_service - len(members.removable)
        return Observation(  # by place: names would take three times as long, at each look
            QueueDepth(len(crew.queue), crew.in_flight, 0),
            group.desired_capacity,
            settings.min_size,
            settings.max_size,
            in_service,
            protected,
            members.launching,
            members.pool_total,
            group.deleting,
            self._history,
        )
