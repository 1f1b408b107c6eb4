"""Five hundred workers at once against an Auto Scaling API that takes few calls a second."""

import io
import random
from collections import Counter
from itertools import count

import pytest
from botocore.exceptions import ClientError

from pilotlight.worker.agent import Agent
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.loop_state import Fitness, Protection, entering_service, policy_of_one
from pilotlight.worker.parts import LeaveSign, Parts
from pilotlight.worker.wake import Stopwatch

WORKERS = 500
CALLS_A_SECOND = 10  # published limits are not to be found; that of most such calls is higher
IDLE_SECONDS = 90
WATCH_SECONDS = 3


class Api:
    """Takes so many calls a second and throttles the rest, as AWS does: none is waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: Counter[int] = Counter()
        self.throttled = 0

    def call(self) -> None:
        self.calls[int(self.now)] += 1
        if self.calls[int(self.now)] > CALLS_A_SECOND:
            self.throttled += 1
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "op")


class Surrounded:
    """All that one worker sees: in service, fit, a queue with `waiting` messages."""

    fitness, ready_at = Fitness.FIT, 1.0

    def __init__(self, api: Api, number: int) -> None:
        self.api = api
        self.at_work, self.free = 0, 1
        self.waiting = 0
        self.open = False
        chance = random.Random(number)  # noqa: S311
        log = EventLog(io.StringIO(), lambda: api.now)
        parts = Parts(
            around=self,
            slots=self,
            inlet=self,
            intake=self,
            instance=self,
            depth=self,
            drain_files=self,
            note=self,
            leave_sign=LeaveSign(),
            stopwatch=Stopwatch(0.0, lambda: api.now),
            clock=lambda: api.now,
            random=chance,
            log=log,
        )
        policy = policy_of_one(IDLE_SECONDS, WATCH_SECONDS, 120, chance.random())
        self.agent = Agent(parts, policy, entering_service(0.0, chance.random()))

    def target(self):
        return "InService"

    def notice_deadline(self):
        return None

    def pending(self):
        return None

    def wanted(self):
        return self.free

    def hand_back_waiting(self, leaving): ...

    def outcomes(self):
        return []

    def begin(self, at_most):
        self.open = True

    def take(self):
        if not self.open:
            return None
        self.open = False
        return []

    def protect(self):
        self.api.call()
        self.at_work, self.free = self.waiting, 1 - self.waiting  # what waited is received next

    def unprotect(self):
        self.api.call()

    def visible(self):
        return self.waiting

    def write(self): ...

    def erase(self): ...

    @property
    def protection(self) -> Protection:
        return self.agent.state.protection


class Crowd:
    def __init__(self) -> None:
        self.api = Api()
        self.workers = [Surrounded(self.api, number) for number in range(WORKERS)]

    def run_until_each_was(self, wanted: Protection, at_most_seconds: int) -> None:
        """Each worker looks around once in three seconds, which is enough here and saves time."""
        remaining = set(self.workers)
        for second in count():
            remaining = {worker for worker in remaining if worker.protection is not wanted}
            if not remaining:
                return
            assert second < at_most_seconds, f"{len(remaining)} workers never were {wanted}"
            for worker in self.workers[second % 3 :: 3]:
                worker.agent.step()
            self.api.now += 1


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def test_workers_that_wake_together_make_one_call_each_and_hardly_one_is_throttled(crowd):
    for worker in crowd.workers:
        worker.at_work, worker.free, worker.waiting = 1, 0, 1  # busy all the time
    crowd.run_until_each_was(Protection.CONFIRMED, at_most_seconds=150)
    assert crowd.api.calls.total() - crowd.api.throttled == WORKERS
    assert crowd.api.throttled < WORKERS / 50


def test_workers_that_fall_idle_together_all_drop_their_protection(crowd):
    crowd.run_until_each_was(Protection.DROPPED, at_most_seconds=300)
    # Once to give it up, once to take it back, and repeats.
    assert crowd.api.calls.total() < 5 * WORKERS


def test_workers_that_see_work_together_all_have_their_protection_back(crowd):
    crowd.run_until_each_was(Protection.DROPPED, at_most_seconds=300)
    crowd.api.calls.clear()
    for worker in crowd.workers:
        worker.waiting = 1
    at_best_seconds = WORKERS // CALLS_A_SECOND
    crowd.run_until_each_was(Protection.CONFIRMED, at_most_seconds=4 * at_best_seconds)
    assert crowd.api.calls.total() < 8 * WORKERS
