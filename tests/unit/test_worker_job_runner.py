"""From a message to what is recorded of it: the process, the queue and the table are fakes."""

import io
import json
from collections.abc import Sequence

import pytest
from botocore.exceptions import EndpointConnectionError

from pilotlight.aws.jobs_queue import LeaseLostError
from pilotlight.aws.jobs_table import Claim
from pilotlight.jobs.attempts import LEASE_CEILING_SECONDS, Limits, ReceivedMessage
from pilotlight.jobs.records import Worker
from pilotlight.jobs.submission import submission
from pilotlight.worker.belongings import Belongings
from pilotlight.worker.dead_lettering import DeadLettering, LeftToRedrive
from pilotlight.worker.endings import Outcome
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Ended, Printed, Said
from pilotlight.worker.job_runner import JobRunner, JobSettings
from pilotlight.worker.parts import LeaveSign

RESULT = Said({"kind": "result", "result": '{"loss": 0.5}'})
ERROR = Said({"kind": "error", "error": "ValueError: no"})
CHECKPOINT = Said({"kind": "checkpoint", "number": 1, "bytes": 10, "seconds": 0.1})
UNREACHABLE = EndpointConnectionError(endpoint_url="http://queue")
MIB = 1 << 20


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
        self.dead_letters: list = []
        self.refuses_dead_letters = False
        self.lease_lost = False

    def set_visibility(self, message, seconds):
        if self.lease_lost:
            raise LeaseLostError(message.message_id)
        self.visibility.append(seconds)

    def delete(self, message):
        self.deleted.append(message.message_id)

    def send(self, letter):
        if self.refuses_dead_letters:
            raise UNREACHABLE
        self.dead_letters.append(letter)


class Table:
    """One item; a result, once there, stays. `history` is that of the states."""

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
        self.history.append(attributes.get("state", "noted"))
        return True

    def record(self, run, attributes):
        return False  # of no quick succession

    def begin(self, run, attributes):
        before = {**self.item}
        if before.get("state") == "dead_lettered":
            return Claim(False, before)
        return Claim(self._write(attributes), before)

    def succeed(self, run, attributes):
        return self._write(attributes)

    def amend(self, run, attributes):
        return self._write(attributes)

    def reject(self, message_id, attributes):
        return self._write(attributes)


class Bucket:
    """What the job `j` has in it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.content: bytes | None = None
        self.out_of_reach = range(0)
        self.deleted: list[str] = []

    def payload(self, job_id, most_bytes):
        self._answer()
        return self.content and self.content[:most_bytes]

    def delete_payload(self, job_id):
        self._answer()
        self.deleted.append(f"payload of {job_id}")

    def delete_checkpoints(self, job_id):
        self._answer()
        self.deleted.append(f"checkpoints of {job_id}")

    def _answer(self):
        if int(self.clock.now) in self.out_of_reach:
            raise UNREACHABLE


class Process:
    """Says what it was made to say; each silence lasts `tick_seconds` of the clock."""

    def __init__(self, clock: Clock, script: Sequence[list], tick_seconds: float = 0.5) -> None:
        self.clock = clock
        self.script = [*script]
        self.tick_seconds = tick_seconds
        self.sent: list[dict] = []
        self.killed = False
        self.memory = 100 * MIB

    def send(self, message):
        self.sent.append(message)

    def events(self, timeout_seconds):
        heard = self.script.pop(0) if self.script else []
        if not heard:
            self.clock.now += self.tick_seconds
        return heard

    def memory_bytes(self):
        return self.memory

    def kill(self):
        self.killed = True


class Bench:
    def __init__(self) -> None:
        self.clock = Clock()
        self.queue, self.table, self.sign = Queue(), Table(self.clock), LeaveSign()
        self.bucket = Bucket(self.clock)
        self.log_text = io.StringIO()
        self.log = EventLog(self.log_text, self.clock)
        limits = Limits(max_attempts=3, max_receive_count=20)
        self.use(DeadLettering(limits, self.queue, self.queue, self.log))

    def use(self, giving_up, job_timeout_seconds=600, batch=None) -> None:
        self.runner = JobRunner(
            queue=self.queue,
            deletes=self.queue,
            table=self.table,
            batch=batch,
            results=self.table,
            belongings=Belongings(self.bucket, self.log),
            giving_up=giving_up,
            stop=self.sign,
            worker=Worker("i-1", "/group", "i-1/stream"),
            settings=JobSettings(120, job_timeout_seconds, job_memory_mib=512),
            clock=self.clock,
            sleep=self.clock.sleep,
            log=self.log,
        )

    def message(self, body='{"job_id": "j", "payload": 1}', attempt=1) -> ReceivedMessage:
        return ReceivedMessage("m-1", "r-1", body, attempt, 990.0, 999.0)

    def run(self, *script, tick_seconds=0.5, memory=100 * MIB, **message) -> Outcome:
        self.process = Process(self.clock, script, tick_seconds)
        self.process.memory = memory
        return self.runner.run(self.message(**message), None, self.process, worker_ready_at=995.0)()

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
    assert bench.queue.visibility == [2]
    assert bench.queue.deleted == []


def test_the_wait_for_the_next_attempt_grows_with_failures_and_not_with_deliveries(bench):
    bench.table.item = {"state": "interrupted", "failures": 1, "interruptions": 10}
    bench.run([ERROR], attempt=12)
    assert bench.queue.visibility == [4]


def test_the_last_failure_puts_the_job_into_the_dead_letter_queue_with_its_reason(bench):
    bench.table.item = {"state": "failed", "failures": 2, "interruptions": 1}
    assert bench.run([ERROR], attempt=4) is Outcome.DEAD_LETTERED
    assert bench.table.item["state"] == "dead_lettered"
    assert bench.table.item["dead_lettered_at"] == 1000.0
    (letter,) = bench.queue.dead_letters
    assert letter.attributes() == {
        "job_id": "j",
        "reason": "ValueError: no",
        "failures": 3,
        "interruptions": 1,
        "log_group": "/group",
        "log_stream": "i-1/stream",
    }
    assert letter.body == bench.message().body
    assert bench.queue.deleted == ["m-1"]
    assert "job_dead_lettered" in bench.events()


def test_dead_lettering_that_broke_off_goes_on_with_the_next_delivery(bench):
    bench.table.item = {"state": "failed", "failures": 2}
    bench.queue.refuses_dead_letters = True
    assert bench.run([ERROR], attempt=3) is Outcome.HANDED_BACK
    assert (bench.queue.deleted, bench.queue.visibility) == ([], [60])
    bench.queue.refuses_dead_letters = False
    assert bench.run(attempt=4) is Outcome.DEAD_LETTERED
    assert bench.process.sent == []
    (letter,) = bench.queue.dead_letters
    assert (letter.reason, letter.tally.failures) == ("ValueError: no", 3)
    assert bench.queue.deleted == ["m-1"]


def test_a_dead_letter_is_sent_only_once_the_table_says_so(bench):
    bench.table.item = {"state": "failed", "failures": 2}
    bench.table.out_of_reach = range(1001, 9999)
    assert bench.run([], [], [ERROR], attempt=3) is Outcome.HANDED_BACK
    assert bench.queue.dead_letters == []
    assert bench.queue.deleted == []


def test_a_job_handed_out_too_often_is_not_run_again(bench):
    bench.table.item = {"state": "running", "attempt": 19, "failures": 1, "interruptions": 5}
    assert bench.run(attempt=20) is Outcome.DEAD_LETTERED
    assert bench.process.sent == []
    (letter,) = bench.queue.dead_letters
    assert letter.reason.startswith("handed out 20 times; 1 failed, 5 interrupted")
    assert bench.table.item["error"] == letter.reason


def test_where_there_is_no_dead_letter_queue_of_ours_the_redrive_policy_decides(bench):
    bench.use(LeftToRedrive())
    bench.table.item = {"state": "failed", "failures": 99}
    assert bench.run([ERROR], attempt=100) is Outcome.FAILED
    assert bench.table.item["state"] == "failed"
    assert bench.run(body="garbage") is Outcome.FAILED
    assert bench.queue.deleted == []


def test_a_finished_job_is_acknowledged_without_running(bench):
    bench.table.item = {"state": "succeeded", "result": "1"}
    assert bench.run() is Outcome.DUPLICATE
    assert bench.process.sent == []
    assert bench.queue.deleted == ["m-1"]


def test_a_refusal_that_shows_no_final_state_deletes_nothing(bench):
    bench.table.begin = lambda run, attributes: Claim(False, {})
    assert bench.run() is Outcome.HANDED_BACK
    assert bench.process.sent == bench.queue.deleted == []
    assert bench.queue.visibility == [2]


def test_of_two_results_the_first_stands(bench):
    process = Process(bench.clock, [[RESULT]])
    process.send = lambda message: bench.table.item.update(state="succeeded", result="theirs")
    assert bench.runner.run(bench.message(), None, process, 995.0)() is Outcome.DUPLICATE
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


def test_an_interruption_is_counted_apart_from_failures(bench):
    bench.table.item = {"state": "failed", "failures": 2, "interruptions": 3}
    bench.sign.hand_back_at = 1000.0
    assert bench.run(attempt=6) is Outcome.HANDED_BACK
    assert (bench.table.item["failures"], bench.table.item["interruptions"]) == (2, 4)


def test_before_sqs_forgets_the_receipt_the_job_is_told_and_then_handed_back(bench):
    bench.use(LeftToRedrive(), job_timeout_seconds=43_200)
    assert bench.run(tick_seconds=10) is Outcome.HANDED_BACK
    assert bench.table.item["error"].startswith("SQS's limit of 12 hours")
    assert bench.process.sent[-1] == {"kind": "stop"}
    assert bench.queue.visibility[-1] == 0
    assert bench.clock.now < 999 + LEASE_CEILING_SECONDS


def test_a_job_that_holds_too_much_memory_fails_alone(bench):
    assert bench.run(memory=812 * MIB) is Outcome.FAILED
    assert bench.process.killed
    assert bench.table.item["error"] == "JobMemoryExceeded: 812 MiB of 512"


def test_the_table_is_told_of_checkpoints_now_and_then_and_of_the_last_at_the_end(bench):
    saves = [[CHECKPOINT], [], []] * 10  # each second for ten seconds
    bench.run(*saves, [ERROR])
    assert bench.table.history == ["running", "noted", "failed"]
    assert bench.table.item["checkpoints"] == 10
    assert bench.table.item["checkpointed_at"] == 1009.0
    assert bench.events().count("job_checkpointed") == 10


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


def test_a_malformed_message_is_named_recorded_and_dead_lettered_at_once(bench):
    assert bench.run(body="garbage") is Outcome.DEAD_LETTERED
    assert bench.table.item["error"].startswith("MalformedJob: the body is not JSON")
    assert bench.process.sent == []
    (letter,) = bench.queue.dead_letters
    assert (letter.job_id, letter.body) == ("m-1", "garbage")
    assert letter.reason.startswith("MalformedJob: the body is not JSON")
    assert bench.queue.deleted == ["m-1"]
    assert bench.events() == ["job_malformed", "job_dead_lettered"]


def test_no_job_starts_until_the_table_knows_of_it(bench):
    bench.table.out_of_reach = range(1000, 1100)
    assert bench.run([RESULT]) is Outcome.SUCCEEDED
    assert bench.events()[-2:] == ["job_started", "job_succeeded"]
    assert bench.queue.visibility == [120]  # the message stays hidden meanwhile


def test_with_the_table_out_of_reach_for_long_the_message_goes_back(bench):
    bench.table.out_of_reach = range(1000, 9999)
    assert bench.run([RESULT]) is Outcome.HANDED_BACK
    assert bench.process.sent == []
    assert bench.queue.visibility[-1] == 60


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


LARGE = submission("j", {"numbers": [7] * 600_000})


def test_a_payload_too_large_for_a_message_comes_from_the_bucket_and_goes_with_the_result(bench):
    bench.bucket.content = LARGE.stored
    assert bench.run([RESULT], body=LARGE.body) is Outcome.SUCCEEDED
    assert bench.process.sent[0]["payload"] == {"numbers": [7] * 600_000}
    assert bench.bucket.deleted == ["payload of j"]


def test_a_payload_stays_for_the_next_attempt(bench):
    bench.bucket.content = LARGE.stored
    assert bench.run([ERROR], body=LARGE.body) is Outcome.FAILED
    assert bench.bucket.deleted == []


@pytest.mark.parametrize("content", [None, b"[]", b"x" * 2_000_000], ids=["none", "other", "more"])
def test_a_job_whose_payload_is_not_what_was_sent_is_given_up_at_once(bench, content):
    bench.bucket.content = content
    assert bench.run([RESULT], body=LARGE.body) is Outcome.DEAD_LETTERED
    assert bench.process.sent == []
    (letter,) = bench.queue.dead_letters
    assert letter.reason.startswith("MalformedJob: ")
    assert bench.queue.deleted == ["m-1"]


def test_a_bucket_that_does_not_answer_for_a_while_costs_nothing_but_time(bench):
    bench.bucket.content = LARGE.stored
    bench.bucket.out_of_reach = range(1000, 1100)
    assert bench.run([RESULT], body=LARGE.body) is Outcome.SUCCEEDED
    assert bench.queue.visibility, "the message was held on to"


def test_a_bucket_that_stays_out_of_reach_is_no_failure_of_the_job(bench):
    bench.bucket.out_of_reach = range(1000, 9999)
    assert bench.run([RESULT], body=LARGE.body) is Outcome.HANDED_BACK
    assert bench.table.item["state"] == "interrupted"
    assert bench.table.item.get("failures", 0) == 0


def test_a_job_without_belongings_is_not_looked_for_in_the_bucket(bench):
    bench.bucket.out_of_reach = range(9999)
    assert bench.run([RESULT]) is Outcome.SUCCEEDED
    assert "not_cleared" not in bench.events()


@pytest.mark.parametrize(("said", "attempt"), [([CHECKPOINT], 1), ([], 2)])
def test_checkpoints_go_once_the_result_is_recorded(bench, said, attempt):
    assert bench.run(said, [RESULT], attempt=attempt) is Outcome.SUCCEEDED
    assert bench.bucket.deleted == ["checkpoints of j"]


def test_checkpoints_that_cannot_be_deleted_do_not_cost_the_result(bench):
    bench.bucket.out_of_reach = range(9999)
    assert bench.run([CHECKPOINT], [RESULT]) is Outcome.SUCCEEDED
    assert bench.queue.deleted == ["m-1"]
    assert "not_cleared" in bench.events()


class Batch:
    """Knows the jobs named; records the others, or is out of reach."""

    def __init__(self, *known: str, out_of_reach: bool = False) -> None:
        self.known = known
        self.out_of_reach = out_of_reach
        self.asked_for: list[str] = []

    def begin(self, beginnings):
        if self.out_of_reach:
            raise UNREACHABLE
        self.asked_for = [run.job_id for run, _ in beginnings]
        return [job_id not in self.known for job_id in self.asked_for]


def claims_of(bench, batch, **attempts):
    bench.use(LeftToRedrive(), batch=batch)
    messages = [
        ReceivedMessage(f"m-{name}", "r", f'{{"job_id": "{name}", "payload": 1}}', attempt, 0, 0)
        for name, attempt in attempts.items()
    ]
    garbage = ReceivedMessage("m-garbage", "r", "garbage", 1, 0, 0)
    return bench.runner.claim_all([*messages, garbage], 995.0)


def test_first_deliveries_are_claimed_together_and_the_others_each_alone(bench):
    batch = Batch("known")
    new, known, again, garbage = claims_of(bench, batch, new=1, known=1, again=2)
    assert batch.asked_for == ["new", "known"]
    assert (new.job_id, new.attempt) == ("new", 1)
    assert (known, again, garbage) == (None, None, None)


def test_while_the_table_is_out_of_reach_nothing_is_claimed(bench):
    assert claims_of(bench, Batch(out_of_reach=True), new=1) == [None, None]


def test_a_claimed_job_runs_without_being_claimed_again(bench):
    (run, _) = claims_of(bench, Batch(), j=1)
    process = Process(bench.clock, [[RESULT]])
    message = bench.message()
    assert bench.runner.run(message, run, process, 995.0)() is Outcome.SUCCEEDED
    assert bench.table.history == ["succeeded"]


def test_a_claimed_job_that_no_slot_was_free_for_is_recorded_as_interrupted(bench):
    (run, _) = claims_of(bench, Batch(), j=1)
    bench.runner.hand_back_unstarted(bench.message(), run)
    assert bench.table.item["state"] == "interrupted"
    assert bench.table.item["interruptions"] == 1
    assert bench.queue.visibility == [0]
