"""Jobs in a process of their own: real processes, a small stand-in for torch, the user's code."""

import io
import json
import time
from pathlib import Path

import pytest

from pilotlight.aws.jobs_table import Claim
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.records import Worker
from pilotlight.worker.belongings import Belongings
from pilotlight.worker.checks import ALL_CHECKS, LIGHT_CHECKS
from pilotlight.worker.dead_lettering import LeftToRedrive
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Printed, Said
from pilotlight.worker.job_runner import JobRunner, JobSettings
from pilotlight.worker.parts import LeaveSign
from pilotlight.worker.self_check import hear_checks
from tests.unit.process_bench import PATIENCE_SECONDS, answer, ready, starting, users_folder


@pytest.fixture
def user(tmp_path):
    return users_folder(tmp_path)


@pytest.fixture
def start(user):
    with starting(user) as start_process:
        yield start_process


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
