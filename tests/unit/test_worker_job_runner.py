"""From a message to what is recorded of it: the process, the queue and the table are fakes."""

import io
import json
from collections.abc import Sequence

import pytest
from botocore.exceptions import EndpointConnectionError

from pilotlight.aws.jobs_queue import LeaseLostError
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Ended, Printed, Said
from pilotlight.worker.job_runner import JobRunner, Outcome
from pilotlight.worker.parts import LeaveSign

RESULT = Said({"kind": "result", "result": '{"loss": 0.5}'})
ERROR = Said({"kind": "error", "error": "ValueError: no"})
UNREACHABLE = EndpointConnectionError(endpoint_url="http://queue")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Queue:
    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.visibility: list[int] = []
        self.lease_lost = False

    def set_visibility(self, message, seconds):
        if self.lease_lost:
            raise LeaseLostError(message.message_id)
        self.visibility.append(seconds)

    def delete(self, message):
        self.deleted.append(message.message_id)


class Table:
    """One item; a result, once there, stays."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.item: dict = {}
        self.history: list[str] = []
        self.out_of_reach = range(0)

    def _write(self, attributes) -> bool:
        if int(self.clock.now) in self.out_of_reach:
            raise UNREACHABLE
        if self.item.get("state") == "succeeded":
            return False
        self.item |= attributes
        self.history.append(attributes["state"])
        return True

    def begin(self, run, attributes):
        return self._write(attributes)

    def succeed(self, run, attributes):
        return self._write(attributes)

    def end_without_result(self, run, attributes):
        return self._write(attributes)

    def reject(self, message_id, attributes):
        return self._write(attributes)


class Process:
    """Says what it was made to say; each silence lasts `tick_seconds` of the clock."""

    def __init__(self, clock: Clock, script: Sequence[list], tick_seconds: float = 0.5) -> None:
        self.clock = clock
        self.script = [*script]
        self.tick_seconds = tick_seconds
        self.sent: list[dict] = []
        self.killed = False

    def send(self, message):
        self.sent.append(message)

    def events(self, timeout_seconds):
        heard = self.script.pop(0) if self.script else []
        if not heard:
            self.clock.now += self.tick_seconds
        return heard

    def kill(self):
        self.killed = True


class Bench:
    def __init__(self) -> None:
        self.clock = Clock()
        self.queue, self.table, self.sign = Queue(), Table(self.clock), LeaveSign()
        self.log_text = io.StringIO()
        self.runner = JobRunner(
            queue=self.queue,
            table=self.table,
            stop=self.sign,
            instance_id="i-1",
            visibility_timeout_seconds=120,
            job_timeout_seconds=600,
            clock=self.clock,
            sleep=self.clock.sleep,
            log=EventLog(self.log_text, self.clock),
        )

    def message(self, body='{"job_id": "j", "payload": 1}', attempt=1) -> ReceivedMessage:
        return ReceivedMessage("m-1", "r-1", body, attempt, 990.0, 999.0)

    def run(self, *script, tick_seconds=0.5, **message) -> Outcome:
        self.process = Process(self.clock, script, tick_seconds)
        return self.runner.run(self.message(**message), self.process, worker_ready_at=995.0)

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log_text.getvalue().splitlines()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_result_is_recorded_and_then_the_message_deleted(bench):
    assert bench.run([RESULT]) is Outcome.SUCCEEDED
    assert bench.table.history == ["running", "succeeded"]
    assert bench.table.item["result"] == '{"loss": 0.5}'
    assert bench.table.item["worker_ready_at"] == 995.0
    assert bench.queue.deleted == ["m-1"]


def test_a_failed_job_is_recorded_with_its_output_and_comes_again(bench):
    assert bench.run([Printed("step 1"), ERROR], attempt=3) is Outcome.FAILED
    assert bench.table.item["error"] == "ValueError: no"
    assert bench.table.item["output_tail"] == "step 1\n"
    assert bench.table.item["attempt"] == 3
    assert bench.queue.visibility == [8]
    assert bench.queue.deleted == []


def test_a_finished_job_is_acknowledged_without_running(bench):
    bench.table.item = {"state": "succeeded", "result": "1"}
    assert bench.run() is Outcome.DUPLICATE
    assert bench.process.sent == []
    assert bench.queue.deleted == ["m-1"]


def test_of_two_results_the_first_stands(bench):
    process = Process(bench.clock, [[RESULT]])
    process.send = lambda message: bench.table.item.update(state="succeeded", result="theirs")
    assert bench.runner.run(bench.message(), process, 995.0) is Outcome.DUPLICATE
    assert bench.table.item["result"] == "theirs"
    assert bench.queue.deleted == ["m-1"]


def test_visibility_is_extended_each_half_of_it_while_the_job_lives(bench):
    bench.run()
    after_the_timeout_of_600_seconds = 2
    assert bench.queue.visibility == [120] * 10 + [after_the_timeout_of_600_seconds]


def test_a_job_that_takes_too_long_is_ended_and_failed(bench):
    assert bench.run(tick_seconds=10) is Outcome.FAILED
    assert bench.process.killed
    assert bench.table.item["error"].startswith("JobTimeout: not done after 600")


def test_a_job_process_that_dies_fails_its_job_alone(bench):
    assert bench.run([Ended("it was killed (SIGKILL)")]) is Outcome.FAILED
    assert bench.table.item["error"] == "JobProcessLost: it was killed (SIGKILL)"


def test_leaving_the_job_is_told_and_may_finish_in_time(bench):
    bench.sign.hand_back_at = 1100.0
    assert bench.run([], [], [RESULT]) is Outcome.SUCCEEDED
    assert bench.process.sent[-1] == {"kind": "stop"}


def test_at_the_deadline_the_message_goes_back_at_once(bench):
    bench.sign.hand_back_at = 1030.0
    assert bench.run(tick_seconds=1) is Outcome.HANDED_BACK
    assert bench.process.killed
    assert bench.queue.visibility == [0]
    assert bench.table.item["state"] == "interrupted"


def test_a_handler_that_gives_up_when_told_to_stop_has_not_failed(bench):
    bench.sign.hand_back_at = 1100.0
    assert bench.run([], [ERROR]) is Outcome.HANDED_BACK
    assert bench.queue.visibility == [0]


def test_a_malformed_message_is_named_recorded_and_left_to_redrive(bench):
    assert bench.run(body="garbage") is Outcome.MALFORMED
    assert bench.table.item["error"].startswith("MalformedJob: the body is not JSON")
    assert bench.process.sent == []
    assert bench.queue.deleted == []
    assert bench.events() == ["job_malformed"]


def test_no_job_starts_while_the_table_is_out_of_reach(bench):
    bench.table.out_of_reach = range(1000, 1001)
    assert bench.run([RESULT]) is Outcome.HANDED_BACK
    assert bench.process.sent == []
    assert bench.queue.visibility == [2]


def test_a_result_waits_for_a_table_that_is_out_of_reach_and_keeps_its_message(bench):
    bench.table.out_of_reach = range(1001, 1200)
    assert bench.run([], [], [RESULT]) is Outcome.SUCCEEDED
    assert bench.queue.visibility == [120, 120, 120]
    assert bench.queue.deleted == ["m-1"]


def test_a_result_that_cannot_be_recorded_is_made_again_later(bench):
    bench.table.out_of_reach = range(1001, 9999)
    assert bench.run([], [], [RESULT]) is Outcome.HANDED_BACK
    assert bench.queue.deleted == []


def test_losing_the_message_does_not_lose_the_result(bench):
    bench.queue.lease_lost = True
    silence = [[] for _ in range(2)]
    bench.clock.now = 1080.0  # an extension is due at once
    assert bench.run(*silence, [RESULT]) is Outcome.SUCCEEDED
    assert bench.events().count("lease_lost") == 1
