"""What a slot does not wait for: errands, and the deletes of messages."""

import io
import json
import threading
import time

import pytest
from botocore.exceptions import EndpointConnectionError

from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.prefetch import Pace
from pilotlight.jobs.records import Past, Run, Worker
from pilotlight.worker.deletes import Deletes
from pilotlight.worker.errands import Errands
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.results import Results

PATIENCE_SECONDS = 60


def until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def test_whoever_brings_an_errand_while_all_threads_are_busy_does_it_himself():
    errands, go_on, doers = Errands(threads=1), threading.Event(), []
    errands.do(lambda: (go_on.wait(PATIENCE_SECONDS), doers.append(threading.current_thread())))
    assert errands.unfinished == 1
    errands.do(lambda: doers.append(threading.current_thread()))
    assert doers == [threading.current_thread()]
    go_on.set()
    until(lambda: errands.unfinished == 0)
    assert doers[1] is not threading.current_thread()
    errands.do(lambda: doers.append(threading.current_thread()))
    until(lambda: errands.unfinished == 0)
    assert doers[2] is doers[1], "a thread that is done serves again"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_an_errand_is_raised_where_it_ends_the_worker():
    errands = Errands(threads=1)
    errands.do({}.popitem)

    def failed() -> bool:
        try:
            return errands.unfinished < 0
        except RuntimeError as error:
            return isinstance(error.__cause__, KeyError)

    until(failed)
    for thread in threading.enumerate():  # its traceback belongs to this test and to no later one
        if thread.name == "errands":
            thread.join(0.5)


class Queue:
    """Deletes what it is told to once `go_on` is set; refuses what is named in `refused`."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go_on = threading.Event()
        self.refused: dict[str, str] = {}
        self.out_of_reach = False

    def delete_batch(self, messages):
        self.go_on.wait(PATIENCE_SECONDS)
        if self.out_of_reach:
            raise EndpointConnectionError(endpoint_url="http://queue")
        self.batches.append([message.message_id for message in messages])
        return self.refused


class Bench:
    def __init__(self) -> None:
        self.queue, self.log_text = Queue(), io.StringIO()
        self.errands = Errands(threads=8)
        self.deletes = Deletes(self.queue, self.errands.do, EventLog(self.log_text, time.time))

    def delete(self, *names: str) -> None:
        for name in names:
            self.deletes.delete(ReceivedMessage(name, "r", "{}", 1, 0.0, 0.0))

    def finish(self) -> None:
        self.queue.go_on.set()
        until(lambda: self.errands.unfinished == 0)

    def not_deleted(self) -> set[str]:
        lines = map(json.loads, self.log_text.getvalue().splitlines())
        return {line["message_id"] for line in lines if line["event"] == "message_not_deleted"}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_messages_are_deleted_ten_at_a_time_and_none_is_left_over(bench):
    names = [f"m-{number}" for number in range(25)]
    bench.delete(*names)
    bench.finish()
    assert sorted(name for batch in bench.queue.batches for name in batch) == sorted(names)
    assert len(bench.queue.batches) < 25
    assert max(map(len, bench.queue.batches)) <= 10


def test_what_sqs_does_not_delete_is_named(bench):
    bench.queue.refused = {"m-2": "InternalError: try later"}
    bench.delete("m-1", "m-2")
    bench.finish()
    assert bench.not_deleted() == {"m-2"}


def test_after_a_call_that_failed_the_next_is_made(bench):
    bench.queue.out_of_reach = True
    bench.delete("m-1")
    bench.finish()
    assert bench.not_deleted() == {"m-1"}
    bench.queue.out_of_reach = False
    bench.delete("m-2")
    bench.finish()
    assert bench.queue.batches == [["m-2"]]


class Table:
    """Records what it is told to, but for the jobs named in `refused`."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.refused: set[str] = set()
        self.failure: Exception | None = None

    def amend(self, ends):
        if self.failure:
            raise self.failure
        self.batches.append([run.job_id for run, _ in ends])
        return [run.job_id not in self.refused for run, _ in ends]


def a_run(job_id: str, history_length: int = 0) -> Run:
    message = ReceivedMessage(f"m-{job_id}", "r", "{}", 1, 0.0, 0.0)
    return Run(job_id, Worker("i-1"), message, 1.0, 0.0, Past(history_length=history_length))


def results_of(table: Table, job_seconds: float) -> Results:
    pace = Pace(slots=1)
    for _ in range(5):
        pace.note(job_seconds)
    return Results(table, pace, EventLog(io.StringIO(), time.time))


def record_at_once(results: Results, count: int) -> dict[str, bool]:
    recorded: dict[str, bool] = {}

    def record(job_id: str) -> None:
        recorded[job_id] = results.record(a_run(job_id), {"state": "succeeded"})

    threads = [threading.Thread(target=record, args=(f"j-{n}",)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return recorded


def test_results_in_quick_succession_are_recorded_together_and_each_hears_of_its_own():
    table = Table()
    table.refused = {"j-3"}
    recorded = record_at_once(results_of(table, job_seconds=0.01), count=60)
    assert {job_id for job_id, done in recorded.items() if not done} == {"j-3"}
    assert sorted(job_id for batch in table.batches for job_id in batch) == sorted(recorded)
    assert max(map(len, table.batches)) <= 25
    assert len(table.batches) < 60


def test_a_result_of_a_long_job_does_not_wait_for_company():
    table = Table()
    assert not results_of(table, job_seconds=2.0).record(a_run("j"), {})
    assert table.batches == []


def test_a_job_with_a_history_has_its_result_recorded_alone():
    assert not results_of(Table(), job_seconds=0.01).record(a_run("j", history_length=1), {})


def test_when_the_common_call_fails_each_result_is_recorded_alone():
    table = Table()
    table.failure = EndpointConnectionError(endpoint_url="http://table")
    recorded = record_at_once(results_of(table, job_seconds=0.01), count=3)
    assert recorded == {"j-0": False, "j-1": False, "j-2": False}


def test_a_defect_in_the_common_call_leaves_nobody_waiting():
    table = Table()
    table.failure = KeyError("a defect")
    results = results_of(table, job_seconds=0.01)
    with pytest.raises(KeyError):
        results.record(a_run("j"), {})
