"""The queue and the workers on it: who takes which job when, and what a killed worker loses."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from local.group.clock import Schedule
from pilotlight.worker.idleness import NEW, Patience
from simulator.news import News
from simulator.surroundings import Durations


@dataclass(slots=True, eq=False)
class Job:
    arrived_at: float
    service_seconds: float
    started_at: float = 0.0


class Worker:
    """One instance in service; `place` is its index among those that can take a job."""

    __slots__ = (
        "free_since",
        "idle_since",
        "idleness",
        "instance_id",
        "jobs",
        "offered_at",
        "place",
        "present",
        "watched",
    )

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        self.jobs: set[Job] = set()
        self.place: int | None = None
        self.free_since = 0.0
        self.idle_since = 0.0  # or since it was protected again
        self.idleness = NEW
        self.offered_at: float | None = None  # without protection since then
        self.present = True
        self.watched = False  # a timer will look at its idleness, or at the queue for it


class Protection(Protocol):
    """What a worker says to its group."""

    def release(self, instance_id: str) -> bool:
        """It has been idle long enough: scale-in may take it. False when it leaves for good."""
        ...

    def protect(self, instance_id: str) -> None: ...


class Crew:
    """Workers poll the queue, so a job goes to a random one of those that have room.

    `ended` hears of each job's seconds of work. With `patience` None workers never ask for leave:
    the group takes whom it likes.
    """

    def __init__(
        self,
        schedule: Schedule,
        durations: Durations,
        random: Random,
        protection: Protection,
        news: News,
        jobs_per_instance: int,
        patience: Patience | None,
        ended: Callable[[float], None],
    ) -> None:
        self._schedule = schedule
        self._durations = durations
        self._random = random
        self._protection = protection
        self._news = news
        self._slots = jobs_per_instance
        self._patience = patience
        self._ended = ended
        self._workers: dict[str, Worker] = {}
        self._open: list[Worker] = []
        self._released: dict[str, Worker] = {}
        self._coming = 0  # of them, those that will look because there is work
        self.queue: deque[Job] = deque()
        self.in_flight = 0
        self.busy_workers = 0
        self.waits_seconds = array("d")
        self.busy_kills = 0
        self.lost_job_seconds = 0.0
        self.worked_seconds = 0.0
        self.last_finish = 0.0

    def arrive(self, service_seconds: float) -> None:
        self._news.tell()
        self.queue.append(Job(self._schedule.now(), service_seconds))
        self._dispatch()

    @property
    def oldest_age_seconds(self) -> float:
        return self._schedule.now() - self.queue[0].arrived_at if self.queue else 0.0

    def join(self, instance_id: str, ready_at: float) -> None:
        """It is in service; its worker can receive from `ready_at`."""
        worker = self._workers[instance_id] = Worker(instance_id)
        self._schedule.call_at(ready_at, self._ready, worker)

    def part(self, instance_id: str) -> None:
        """It is on its way out: what it works on is lost, and is in the queue again at once."""
        worker = self._workers.pop(instance_id, None)
        if worker is None:
            return
        worker.present = False
        self._close(worker)
        self._released.pop(instance_id, None)
        if worker.jobs:
            self._kill(worker)

    def _kill(self, worker: Worker) -> None:
        self._news.tell()
        now = self._schedule.now()
        self.busy_workers -= 1
        for job in sorted(worker.jobs, key=lambda job: job.arrived_at, reverse=True):
            self.busy_kills += 1
            self.lost_job_seconds += now - job.started_at
            self.in_flight -= 1
            self.queue.appendleft(job)
        worker.jobs.clear()
        self._dispatch()

    def _ready(self, worker: Worker) -> None:
        if worker.present:
            worker.free_since = worker.idle_since = self._schedule.now()
            self._offer(worker)

    def _offer(self, worker: Worker) -> None:
        """It has room for a job."""
        if worker.place is None:
            worker.place = len(self._open)
            self._open.append(worker)
        self._dispatch()
        if not worker.jobs:
            self._watch_idleness(worker)

    def _close(self, worker: Worker) -> None:
        place = worker.place
        if place is None:
            return
        last = self._open.pop()
        if last is not worker:
            self._open[place] = last
            last.place = place
        worker.place = None

    def _dispatch(self) -> None:
        queue, free = self.queue, self._open
        while queue and free:
            self._start(free[int(self._random.random() * len(free))], queue.popleft())
        if queue and self._released:
            self._call_back()

    def _start(self, worker: Worker, job: Job) -> None:
        now = self._schedule.now()
        job.started_at = now
        if not worker.jobs:
            self.busy_workers += 1
            worker.idleness = worker.idleness.job_came(now - worker.free_since)
        worker.jobs.add(job)
        self.in_flight += 1
        if len(worker.jobs) >= self._slots:
            self._close(worker)
        self._schedule.call_at(now + job.service_seconds, self._finish, worker, job, now)

    def _finish(self, worker: Worker, job: Job, started_at: float) -> None:
        if job not in worker.jobs or job.started_at != started_at:
            return  # it was killed, and is at work elsewhere or waits
        now = self._schedule.now()
        self._news.tell()
        worker.jobs.discard(job)
        self.in_flight -= 1
        self.waits_seconds.append(started_at - job.arrived_at)
        self.worked_seconds += job.service_seconds
        self._ended(job.service_seconds)
        self.last_finish = now
        if not worker.jobs:
            self.busy_workers -= 1
            worker.free_since = worker.idle_since = now
        self._offer(worker)

    def _watch_idleness(self, worker: Worker) -> None:
        if self._patience is not None and not worker.watched:
            worker.watched = True
            due = worker.idle_since + worker.idleness.seconds(self._patience)
            self._schedule.call_at(due, self._idle_long, worker, self._patience)

    def _idle_long(self, worker: Worker, patience: Patience) -> None:
        worker.watched = False
        if not worker.present or worker.jobs:
            return
        now = self._schedule.now()
        if now < worker.idle_since + worker.idleness.seconds(patience):
            self._watch_idleness(worker)
            return
        self._close(worker)
        if self._protection.release(worker.instance_id):
            self._released[worker.instance_id] = worker
            worker.offered_at = now
            if math.isfinite(patience.offer_seconds):
                self._schedule.call_at(now + patience.offer_seconds, self._untaken, worker, now)

    def _untaken(self, worker: Worker, offered_at: float) -> None:
        """Nobody took it; one that has work in sight sees to that first."""
        if not worker.present or worker.offered_at != offered_at:
            return
        if worker.watched:
            self._schedule.call_at(
                self._schedule.now() + self._durations.LOOK_SECONDS,
                self._untaken,
                worker,
                offered_at,
            )
            return
        worker.idleness = worker.idleness.offer_untaken()
        self._protect(worker)

    def _protect(self, worker: Worker) -> None:
        """It receives again."""
        del self._released[worker.instance_id]
        worker.offered_at = None
        worker.idle_since = self._schedule.now()
        self._protection.protect(worker.instance_id)
        self._offer(worker)

    def _call_back(self) -> None:
        """Workers that gave up their protection see the queue at their next look; as many as there
        are jobs for, since the others would look in vain."""
        wanted = min(len(self.queue), len(self._released)) - self._coming
        for worker in self._released.values():
            if wanted <= 0:
                return
            if not worker.watched:
                wanted -= 1
                self._coming += 1
                worker.watched = True
                when = self._schedule.now() + self._durations.notice()
                self._schedule.call_at(when, self._noticed, worker)

    def _noticed(self, worker: Worker) -> None:
        worker.watched = False
        self._coming -= 1
        if worker.present and self.queue:
            self._protect(worker)
