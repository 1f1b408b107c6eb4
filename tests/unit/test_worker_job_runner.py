"""From a message to what is recorded of it."""

import pytest

from pilotlight.aws.jobs_table import Claim
from pilotlight.jobs.attempts import LEASE_CEILING_SECONDS
from pilotlight.worker.dead_lettering import LeftToRedrive
from pilotlight.worker.endings import Outcome
from pilotlight.worker.job_process import Ended, Printed
from tests.unit.job_bench import CHECKPOINT, ERROR, MIB, RESULT, Bench, Process


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
    bench.leaves_at_work = 1100.0
    assert bench.run([], [], [RESULT]) is Outcome.SUCCEEDED
    assert bench.process.sent[-1] == {"kind": "stop"}


def test_an_interruption_is_counted_apart_from_failures(bench):
    bench.table.item = {"state": "failed", "failures": 2, "interruptions": 3}
    bench.leaves_at_work = 1000.0
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
    bench.leaves_at_work = 1030.0
    assert bench.run(tick_seconds=1) is Outcome.HANDED_BACK
    assert bench.process.killed
    assert bench.queue.visibility == [0]
    assert bench.table.item["state"] == "interrupted"


def test_a_handler_that_gives_up_when_told_to_stop_has_not_failed(bench):
    bench.leaves_at_work = 1100.0
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


def test_a_job_that_cannot_begin_yet_goes_back_as_soon_as_its_instance_leaves(bench):
    bench.table.out_of_reach = range(1000, 1010)
    bench.sign.hand_back_at = 1300.0
    assert bench.run([RESULT]) is Outcome.HANDED_BACK
    assert bench.process.sent == []
    assert (bench.queue.visibility, bench.clock.now) == ([0], 1000.0)


def test_a_job_does_not_begin_once_its_instance_has_been_told_to_leave(bench):
    bench.sign.hand_back_at = 1300.0
    assert bench.run([RESULT]) is Outcome.HANDED_BACK
    assert bench.process.sent == []
    assert bench.queue.visibility == [0]
    assert (bench.table.item["state"], bench.table.item["interruptions"]) == ("interrupted", 1)


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
