"""How a contestant looks: what it sees, when, and what it sets."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from local.group.clock import Schedule
from simulator.crew import Crew
from simulator.fleet import Fleet
from simulator.news import News
from simulator.rules import Contestant, Rule, View
from simulator.surroundings import Surroundings


class Look(Protocol):
    """One look: the capacity to set, or None to hold."""

    def decide(self) -> int | None: ...

    @property
    def every_seconds(self) -> float:
        """From one look to the next, as it is now."""
        ...

    def is_settled(self) -> bool:
        """Whether looks would hold, from now on, unless there is news."""
        ...


class PeerLook:
    """A peer's view, with the queue's numbers as old as its metrics are."""

    def __init__(
        self,
        schedule: Schedule,
        news: News,
        crew: Crew,
        fleet: Fleet,
        surroundings: Surroundings,
        contestant: Contestant,
    ) -> None:
        self._schedule = schedule
        self._news = news
        self._crew = crew
        self._fleet = fleet
        self._surroundings = surroundings
        self.every_seconds = contestant.every_seconds
        self._delay = contestant.look_delay_seconds
        self._memory = contestant.memory_seconds
        self._rule: Rule = contestant.make()
        self._seen: deque[tuple[float, int, int, float]] = deque()
        self._told = -1
        self._changed_at = 0.0

    def decide(self) -> int | None:
        now, crew, group = self._schedule.now(), self._crew, self._fleet.group
        visible, in_flight, oldest, measured_at = len(crew.queue), crew.in_flight, 0.0, now
        if visible:
            oldest = crew.oldest_age_seconds
        if self._delay:
            self._seen.append((now, visible, in_flight, oldest))
            measured_at, visible, in_flight, oldest = self._published(now - self._delay)
        in_service = group.members.in_service
        return self._rule.decide(
            View(
                now=now,
                visible=visible,
                in_flight=in_flight,
                oldest_age_seconds=oldest,
                desired=group.desired_capacity,
                in_service=in_service,
                pending=group.members.launching,
                idle=in_service - crew.busy_workers,
                min_size=self._surroundings.min_size,
                max_size=self._surroundings.max_size,
                measured_at=measured_at,
            )
        )

    def is_settled(self) -> bool:
        if self._news.count != self._told:
            self._told, self._changed_at = self._news.count, self._schedule.now()
        is_forgotten = self._schedule.now() > self._changed_at + self._memory + self._delay
        return is_forgotten and not self._crew.queue

    def _published(self, due: float) -> tuple[float, int, int, float]:
        """The newest numbers that are old enough."""
        seen = self._seen
        while len(seen) > 1 and seen[1][0] <= due:
            seen.popleft()
        at, visible, in_flight, oldest = seen[0]
        return max(at, due), visible, in_flight, oldest


class Looker:
    """Looks every so often, and sleeps while nothing can come of it: the cost of a run grows with
    what happens, not with the time that passes."""

    def __init__(self, schedule: Schedule, news: News, fleet: Fleet, look: Look) -> None:
        self._schedule = schedule
        self._news = news
        self._fleet = fleet
        self._look = look
        self._every = look.every_seconds
        self._begun_at = schedule.now()
        self._counted = 0
        self._counted_at = self._begun_at
        schedule.call_at(self._begun_at, self._wake)

    @property
    def looks(self) -> int:
        """Up to now, those that were left out because nothing had changed too."""
        return self._counted + self._since_counted() + 1

    def _wake(self) -> None:
        group = self._fleet.group
        capacity = self._look.decide()
        if capacity is not None and capacity != group.desired_capacity:
            self._fleet.set_capacity(capacity)
        if self._look.every_seconds != self._every:
            self._change_pace()
        if self._look.is_settled():
            self._news.wake_me(self._plan)
        else:
            self._plan(self._every / 2)

    def _change_pace(self) -> None:
        self._counted += self._since_counted()
        self._counted_at, self._every = self._schedule.now(), self._look.every_seconds

    def _since_counted(self) -> int:
        return int((self._schedule.now() - self._counted_at) / self._every)

    def _plan(self, seconds: float = 0.0) -> None:
        """The next turn, so many seconds from now or later."""
        turn = math.ceil((self._schedule.now() + seconds - self._begun_at) / self._every)
        self._schedule.call_at(self._begun_at + turn * self._every, self._wake)
