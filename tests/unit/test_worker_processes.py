"""Jobs in a process of their own: real processes, a small stand-in for torch, the user's code."""

import io
import json
import os
import signal
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pilotlight.aws.jobs_table import Claim
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.records import Worker
from pilotlight.worker.belongings import Belongings
from pilotlight.worker.checks import ALL_CHECKS, LIGHT_CHECKS
from pilotlight.worker.dead_lettering import LeftToRedrive
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Ended, JobProcess, Printed, Said
from pilotlight.worker.job_runner import JobRunner, JobSettings
from pilotlight.worker.line import Delivery
from pilotlight.worker.loop_state import Fitness
from pilotlight.worker.parts import LeaveSign
from pilotlight.worker.self_check import hear_checks
from pilotlight.worker.slots import Places, Slots

LAYER = Path(__file__).parents[2] / "layers/pilotlight/python"
PATIENCE_SECONDS = 60
MESSAGE = ReceivedMessage("m-1", "r-1", "{}", 1, 0.0, 0.0)

TORCH = """
__version__ = "9.9"
class _Product:
    def __matmul__(self, other): return self
    def sum(self): return 512.0
def ones(*shape, device): return _Product()
"""

HANDLER = """
import os, signal, sys, tempfile, time
def handle(payload, job):
    action = payload["do"]
    if action == "echo":
        print("working on", job.job_id, job.attempt)
        return payload
    if action == "raise":
        raise ValueError("no good")
    if action == "exit":
        sys.exit(3)
    if action == "temporary file":
        return tempfile.mkstemp()[1]
    if action == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "flood":
        sys.stdout.write("x" * 3_000_000)
        return "flooded"
    if action == "hang":
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            time.sleep(60)
    if action == "swell":
        held = bytearray(os.urandom(1 << 20) * 200)
        if os.fork() == 0:
            own = bytearray(os.urandom(1 << 20) * 100)
            time.sleep(60)
        time.sleep(60)
    if action == "oom score":
        return open("/proc/self/oom_score_adj").read().strip()
    if action == "wait for stop":
        while not job.stopping:
            time.sleep(0.01)
        return "stopped"
    if action == "not json":
        return object()
"""


@pytest.fixture
def user(tmp_path):
    """A folder on the path with torch and the user's jobs in it; tests rewrite files there."""
    for name, text in {
        "torch/__init__": TORCH,
        "jobs/__init__": "",
        "jobs/handler": HANDLER,
    }.items():
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text))
    return tmp_path


@pytest.fixture
def start(user):
    started = []

    def start_process(checks=LIGHT_CHECKS) -> JobProcess:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{user}:{LAYER}",
            "TMPDIR": str(user / "tmp"),
        }
        started.append(JobProcess(checks, "cpu", environment, None))
        return started[-1]

    yield start_process
    for process in started:
        process.kill()


def ready(process: JobProcess) -> JobProcess:
    results = hear_checks(process, LIGHT_CHECKS, time.monotonic)
    assert all(result.ok for result in results), results
    return process


def answer(process: JobProcess, **payload):
    """The events up to the answer, or the end, of one job."""
    process.send({"kind": "run", "job_id": "j-1", "attempt": 2, "payload": payload})
    heard = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        heard += process.events(0.2)
        if any(isinstance(event, Said | Ended) for event in heard):
            return heard
    raise AssertionError(f"no answer: {heard}")


def test_one_process_serves_many_jobs_and_importing_torch_happens_once(start):
    process = ready(start())
    for number in range(3):
        printed, said = answer(process, do="echo", number=number)
        assert printed == Printed("working on j-1 2")
        assert said.message == {
            "kind": "result",
            "result": f'{{"do": "echo", "number": {number}}}',
        }
    assert process.alive


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("raise", "ValueError: no good"),
        ("exit", "SystemExit: 3"),
        ("not json", "ResultError: the result is not JSON"),
    ],
)
def test_what_the_handler_raises_is_an_answer(start, action, error):
    process = ready(start())
    *printed, said = answer(process, do=action)
    assert said.message["error"].startswith(error)
    assert any("Traceback" in event.line for event in printed)
    assert process.alive


def test_what_a_process_leaves_on_the_disk_goes_with_it(start, user):
    process = ready(start())
    *_, said = answer(process, do="temporary file")
    file = Path(json.loads(said.message["result"]))
    assert file.exists()
    assert file.is_relative_to(user / "tmp")
    process.kill()
    assert list((user / "tmp").iterdir()) == []


def test_a_process_without_room_on_the_disk_still_runs(start, user):
    (user / "tmp").write_text("no folder can be made here")
    *_, said = answer(ready(start()), do="echo")
    assert said.message["kind"] == "result"


def test_a_process_that_is_killed_says_so(start):
    *_, ended = answer(ready(start()), do="die")
    assert "SIGKILL" in ended.how


def run_supervised(process, job_timeout_seconds=60.0, memory_mib=0, **payload):
    """The whole of what a worker does with one delivery, on a queue and a table in memory."""
    message = ReceivedMessage("m-1", "r-1", json.dumps({"payload": payload}), 1, 0.0, time.time())
    bench = Bench()
    log = EventLog(io.StringIO(), time.time)
    runner = JobRunner(
        queue=bench,
        deletes=bench,
        table=bench,
        batch=bench,
        results=bench,
        belongings=Belongings(bench, log),
        giving_up=LeftToRedrive(),
        stop=LeaveSign(),
        worker=Worker("i-1"),
        settings=JobSettings(120, job_timeout_seconds, memory_mib),
        clock=time.time,
        sleep=time.sleep,
        log=log,
    )
    runner.run(message, None, process, time.time())()
    return bench.item


class Bench:
    def __init__(self) -> None:
        self.item: dict = {}

    def begin(self, run, attributes):
        self.item = attributes
        return Claim(True, {})

    def record(self, run, attributes):
        return False

    def amend(self, run, attributes):
        self.item |= attributes
        return True

    succeed = fail = amend

    def set_visibility(self, message, seconds): ...

    def delete(self, message): ...


def test_a_job_that_hangs_and_blocks_every_signal_is_ended_in_time(start):
    process = ready(start())
    item = run_supervised(process, job_timeout_seconds=1, do="hang")
    assert (item["state"], item["error"][:10]) == ("failed", "JobTimeout")
    assert not process.alive


def test_a_job_and_what_it_started_may_hold_so_much_memory_together(start):
    process = ready(start())
    item = run_supervised(process, memory_mib=270, do="swell")
    assert item["error"].startswith("JobMemoryExceeded: ")
    held = int(item["error"].split()[1])
    assert 270 < held < 450, "what parent and child share counts once"
    assert not process.alive


def test_short_of_memory_the_kernel_ends_the_job_and_not_the_worker(start):
    item = run_supervised(ready(start()), do="oom score")
    assert item["result"] == '"1000"'


def test_a_job_that_prints_without_end_is_heard_and_not_in_the_way(start):
    *printed, said = answer(ready(start()), do="flood")
    assert said.message == {"kind": "result", "result": '"flooded"'}
    assert max(len(event.line) for event in printed) <= 8_192


def test_a_running_job_hears_that_it_should_stop(start):
    process = ready(start())
    process.send({"kind": "run", "job_id": "j", "attempt": 1, "payload": {"do": "wait for stop"}})
    process.send({"kind": "stop"})
    deadline = time.monotonic() + PATIENCE_SECONDS
    heard = []
    while not heard and time.monotonic() < deadline:
        heard = process.events(0.2)
    assert heard == [Said({"kind": "result", "result": '"stopped"'})]


def results_by_name(process):
    return {result.name: result for result in hear_checks(process, ALL_CHECKS, time.monotonic)}


def test_all_checks_pass_on_a_good_instance(start):
    results = results_by_name(start(ALL_CHECKS))
    assert list(results) == list(ALL_CHECKS)
    assert all(result.ok for result in results.values())
    assert results["import_torch"].detail == "torch 9.9 for cpu"


def test_torch_that_is_missing_is_named(start, user):
    (user / "torch/__init__.py").write_text("raise ModuleNotFoundError('No module named torch')")
    results = results_by_name(start(ALL_CHECKS))
    assert not results["import_torch"].ok
    assert "No module named torch" in results["import_torch"].detail
    assert results["own_check"].ok


def test_torch_that_crashes_is_a_failed_check_and_what_follows_did_not_run(start, user):
    (user / "torch/__init__.py").write_text("import os; os.abort()")
    results = results_by_name(start(ALL_CHECKS))
    assert not results["import_torch"].ok
    assert "SIGABRT" in results["import_torch"].detail
    assert results["own_check"].detail == "not run: the process ended in import_torch"


def test_a_check_that_hangs_is_given_up(start, user):
    (user / "torch/__init__.py").write_text("import time; time.sleep(3600)")
    clock = iter(range(0, 10_000, 50))
    results = hear_checks(start(), LIGHT_CHECKS, lambda: float(next(clock)))
    assert "no answer within" in results[0].detail


def test_the_users_own_check_counts(start, user):
    (user / "jobs/check.py").write_text("def check(): raise RuntimeError('model not there')")
    results = results_by_name(start(ALL_CHECKS))
    assert results["own_check"].detail == "RuntimeError: model not there"


def test_a_handler_without_handle_is_refused(start, user):
    (user / "jobs/handler.py").write_text("def hundle(payload, job): ...")
    assert "no function handle" in results_by_name(start(ALL_CHECKS))["jobs_importable"].detail


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
