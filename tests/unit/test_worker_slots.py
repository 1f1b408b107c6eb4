"""The places where jobs run: real processes behind a line of deliveries."""

import io
import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.worker.checks import LIGHT_CHECKS
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.line import Delivery
from pilotlight.worker.loop_state import Fitness
from pilotlight.worker.slots import Places, Slots
from tests.unit.process_bench import PATIENCE_SECONDS, starting, users_folder

MESSAGE = ReceivedMessage("m-1", "r-1", "{}", 1, 0.0, 0.0)


@pytest.fixture
def user(tmp_path):
    return users_folder(tmp_path)


@pytest.fixture
def start(user):
    with starting(user) as start_process:
        yield start_process


class Waiter:
    """Waits for what the slots' threads do."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def until(self, condition) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            self.event.wait(0.1)
            self.event.clear()


@pytest.fixture
def waiter():
    return Waiter()


@pytest.fixture
def make_slots(start, waiter):
    made = []

    def make(count=1) -> Slots:
        log = EventLog(io.StringIO(), time.time)
        start_one = lambda _slot: start()  # noqa: E731
        made.append(Slots(count, start_one, LIGHT_CHECKS, time.time, waiter.event.set, log))
        return made[-1]

    yield make
    for slots in made:
        slots.close()


def test_slots_are_free_once_their_processes_have_passed(make_slots, waiter):
    slots = make_slots(2)
    assert slots.fitness is Fitness.UNKNOWN
    slots.open()
    waiter.until(lambda: slots.places().free == 2)
    assert slots.fitness is Fitness.FIT
    assert slots.ready_at > 0


def test_a_process_that_died_is_replaced_before_its_slot_is_free(make_slots, waiter):
    slots = make_slots(1)
    slots.open()
    waiter.until(lambda: slots.places().free == 1)
    pids = []

    def die(delivery, process):
        pids.append(process.pid)
        process.kill()

    for _ in range(2):
        begun = len(pids)
        slots.begin(Delivery(MESSAGE, None, die))
        waiter.until(lambda begun=begun: len(pids) > begun and slots.places().free == 1)
    assert len(set(pids)) == 2


def test_a_process_is_started_for_its_slot_and_what_replaces_it_too(start, waiter):
    numbers = []

    def start_for(slot):
        numbers.append(slot)
        return start()

    log = EventLog(io.StringIO(), time.time)
    slots = Slots(2, start_for, LIGHT_CHECKS, time.time, waiter.event.set, log)
    slots.open()
    waiter.until(lambda: slots.places().free == 2)
    slots.begin(Delivery(MESSAGE, None, lambda _, process: process.kill()))
    waiter.until(lambda: len(numbers) == 3 and slots.places().free == 2)
    slots.close()
    assert set(numbers) == {0, 1}


def test_a_slot_that_fails_its_checks_makes_the_worker_unfit(make_slots, waiter, user):
    (user / "torch/__init__.py").write_text("raise ImportError('libcuda')")
    slots = make_slots(1)
    slots.open()
    waiter.until(lambda: slots.fitness is Fitness.UNFIT)
    assert slots.places().free == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_a_slot_ends_the_worker_instead_of_hiding(make_slots, waiter):
    slots = make_slots(1)
    slots.open()
    waiter.until(lambda: slots.places().free == 1)

    def defect(delivery, process):
        raise KeyError("a defect")

    def failed():
        try:
            return slots.running < 0
        except RuntimeError:
            return True

    slots.begin(Delivery(MESSAGE, None, defect))
    waiter.until(failed)
    for thread in threading.enumerate():  # its traceback belongs to this test and to no later one
        if thread.name == "slot":
            thread.join(PATIENCE_SECONDS)


def test_what_waits_for_a_slot_can_be_withdrawn_and_is_then_not_begun(make_slots, waiter):
    slots = make_slots(1)
    slots.open()
    waiter.until(lambda: slots.places().free == 1)
    done, go_on = [], threading.Event()
    slots.begin(Delivery(MESSAGE, None, lambda *_: go_on.wait(PATIENCE_SECONDS)))
    waiter.until(lambda: slots.running == 1)
    messages = [replace(MESSAGE, message_id=name) for name in ("m-2", "m-3")]
    behind = [Delivery(message, None, lambda *_: done.append(1)) for message in messages]
    for delivery in behind:
        slots.begin(delivery)
    assert slots.places() == Places(ready=1, free=0, waiting=2)
    assert slots.withdraw(waiting_since=0.0) == [], "they have not waited that long"
    assert slots.withdraw(waiting_since=time.time()) == behind
    go_on.set()
    waiter.until(lambda: slots.places() == Places(1, 1, 0))
    assert done == []


def test_a_process_that_died_while_idle_is_not_the_next_jobs_failure(make_slots, waiter):
    slots = make_slots(1)
    slots.open()
    waiter.until(lambda: slots.places().free == 1)
    pids = []
    slots.begin(Delivery(MESSAGE, None, lambda _, process: pids.append(process.pid)))
    waiter.until(lambda: slots.places().free == 1 and pids)
    os.kill(pids[0], signal.SIGKILL)
    os.waitid(os.P_PID, pids[0], os.WEXITED | os.WNOWAIT)  # until it is dead, without reaping it
    slots.begin(Delivery(MESSAGE, None, lambda _, process: pids.append(process.pid)))
    waiter.until(lambda: len(pids) == 2)
    assert pids[0] != pids[1]
