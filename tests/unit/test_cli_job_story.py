"""What a person is told of a job, and where its log is looked for."""

from dataclasses import replace

import pytest

from cli.job_command import Sight
from cli.job_logs import AFTER_SECONDS, BEFORE_SECONDS, Window, awaited, windows
from cli.job_story import AttemptTimes, attempt_times, headline
from cli.recording import Attempt, Job, Look, Member

LOST = Attempt(1, "i-1", "lost", 103.0, 103.5, None, "never heard of again")
INTERRUPTED = Attempt(2, "i-2", "interrupted", 130.0, 131.0, 150.0, "the instance left")
RUNNING = Job(
    *("train-1", "running", 100.0, 3, "i-3", 160.0, 161.0),
    message_id="m-1",
    interruptions=1,
    log_stream="i-3/20260101T000000Z",
    history=(LOST, INTERRUPTED),
)
FLEET = Look(
    at=171.0,
    desired=4,
    members=(
        Member("i-3", "InService"),
        Member("i-4", "Pending:Wait"),
        Member("i-5", "Pending:Wait"),
        Member("i-6", "Warmed:Stopped"),
        Member("i-7", "Warmed:Pending:Wait"),
        Member("i-8", "Terminating:Wait"),
    ),
    visible=7,
    in_flight=1,
)
IDLE = replace(FLEET, visible=0, in_flight=0)


def test_each_attempt_has_waited_since_the_end_of_the_one_before() -> None:
    assert attempt_times(RUNNING, now=171.0) == [
        AttemptTimes(waited_s=3.0, ran_s=None),
        AttemptTimes(waited_s=None, ran_s=19.0),
        AttemptTimes(waited_s=10.0, ran_s=10.0),
    ]


def test_attempts_before_a_replay_did_not_wait_since_then_and_the_next_one_did() -> None:
    replayed = replace(RUNNING, sent_at=155.0)
    assert [times.waited_s for times in attempt_times(replayed, now=171.0)] == [None, None, 5.0]


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (RUNNING, "running on i-3 for 10 s (attempt 3)"),
        (replace(RUNNING, checkpointed_at=166.0), "checkpoint 5 s ago"),
        (replace(RUNNING, instance_id="i-9"), "no longer in the group"),
        (replace(RUNNING, state="interrupted", error="the instance left"), "It runs again; 7 wait"),
        (replace(RUNNING, state="queued"), "queued again after a replay"),
        (
            replace(RUNNING, state="succeeded", finished_at=190.0),
            "succeeded on i-3 90.0 s after it was sent, ran 29.0 s (attempt 3)",
        ),
        (
            replace(RUNNING, state="dead_lettered", failures=3, error="ValueError: no"),
            "dead-lettered: ValueError: no. 3 failed, 1 interrupted; `pilotlight replay train-1`",
        ),
        (replace(RUNNING, state="of_a_later_version"), "of_a_later_version"),
    ],
)
def test_one_line_says_where_the_job_is_and_what_has_to_happen(job: Job, told: str) -> None:
    assert told in headline(job, FLEET, now=171.0)


def test_a_job_that_waits_is_told_what_the_group_does_about_it() -> None:
    told = Sight("new", None, FLEET).told
    assert told.startswith("queued: no worker has received it yet; 7 waiting and 1 in work")
    assert "1 running, 2 starting (2 in Pending:Wait), 1 asleep, 4 wanted" in told


def test_a_job_that_nobody_knows_is_not_said_to_be_queued() -> None:
    sight = Sight("nwe", None, IDLE)
    assert not sight.known
    assert sight.told.startswith("unknown: nothing is in the queue")


def test_the_log_is_looked_for_where_and_when_the_attempts_ran() -> None:
    assert windows(RUNNING) == [
        Window("i-1/", 103.0 - BEFORE_SECONDS, 130.0 + AFTER_SECONDS),
        Window("i-2/", 130.0 - BEFORE_SECONDS, 150.0 + AFTER_SECONDS),
        Window("i-3/20260101T000000Z", 160.0 - BEFORE_SECONDS, None),
    ]


def test_an_attempt_that_left_no_record_is_told_and_its_log_looked_for_everywhere() -> None:
    known = replace(RUNNING, history=(INTERRUPTED,))
    told = [(one.attempt, one.state) for one in known.attempts]
    assert told == [(1, "unrecorded"), (2, "interrupted"), (3, "running")]
    assert windows(known)[0] == Window("", 100.0 - BEFORE_SECONDS, 130.0 + AFTER_SECONDS)
    assert [times.waited_s for times in attempt_times(known, 171.0)] == [None, 30.0, 10.0]


def test_the_log_of_a_job_that_died_with_its_last_worker_ends_where_it_was_given_up() -> None:
    dead = replace(RUNNING, state="dead_lettered", dead_lettered_at=200.0)
    assert windows(dead)[-1].until == 200.0 + AFTER_SECONDS


def test_a_log_that_is_followed_begins_once_a_worker_has_the_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    looks: list[list[Job]] = [[], [], [RUNNING]]

    class Desk:
        def read(self, job_ids: object) -> list[Job]:
            assert job_ids == ["train-1"]
            return looks.pop(0)

    assert awaited(Desk(), "train-1", lambda _: None) is RUNNING
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("waiting") == 1
