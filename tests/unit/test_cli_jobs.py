"""Sending jobs, and following them until each is over."""

import json
from dataclasses import replace

from cli.jobs import job_id_of, job_of, message_body
from cli.ledger import Ledger
from cli.recording import Job

RUNNING = Job("a", "running", 1.0, 1, "i-1", 2.0, 3.0)


class Desk:
    """A jobs table and a dead-letter queue to write into: both of a ledger's parts in one."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.dead: set[str] = set()

    def send(self, bodies: list[str]) -> None:
        pass

    def read(self, job_ids: list[str]) -> list[Job]:
        return [self.jobs[name] for name in job_ids if name in self.jobs]

    def job_ids(self) -> set[str]:
        return self.dead


def sent_one() -> tuple[Desk, Ledger]:
    desk = Desk()
    ledger = Ledger(desk, desk)
    ledger.send({"a": {"task": "train"}})
    return desk, ledger


def test_a_job_is_over_once_it_has_its_result() -> None:
    desk, ledger = sent_one()
    assert ledger.look() == []
    desk.jobs["a"] = RUNNING
    assert not ledger.all_over()
    desk.jobs["a"] = replace(RUNNING, state="succeeded", finished_at=4.0)
    assert [job.job_id for job in ledger.look()] == ["a"]
    assert ledger.all_over()
    assert ledger.tally().flawless


def test_a_failed_job_is_over_only_when_its_attempts_are_used_up() -> None:
    desk, ledger = sent_one()
    desk.jobs["a"] = replace(RUNNING, state="failed", finished_at=4.0)
    ledger.look()
    assert not ledger.all_over()
    desk.jobs["a"] = replace(RUNNING, state="dead_lettered", finished_at=4.0)
    ledger.look()
    assert ledger.all_over()
    assert ledger.tally().failed == 1


def test_a_job_that_sqs_moved_to_the_dead_letters_by_itself_is_not_lost() -> None:
    desk, ledger = sent_one()
    desk.jobs["a"] = RUNNING
    desk.dead = {"a"}
    assert (ledger.tally().failed, ledger.tally().lost) == (1, 0)


def test_a_job_that_began_twice_is_noticed_though_it_has_one_result() -> None:
    desk, ledger = sent_one()
    desk.jobs["a"] = RUNNING
    ledger.look()
    desk.jobs["a"] = replace(RUNNING, started_at=30.0, state="succeeded", finished_at=31.0)
    ledger.look()
    assert ledger.tally().ran_twice == 1


def test_a_job_that_was_interrupted_and_begun_again_did_not_run_twice() -> None:
    desk, ledger = sent_one()
    desk.jobs["a"] = replace(RUNNING, state="interrupted")
    ledger.look()
    desk.jobs["a"] = replace(RUNNING, started_at=30.0, state="succeeded", finished_at=31.0)
    ledger.look()
    assert ledger.tally().flawless


def test_a_result_that_was_overwritten_after_it_was_seen_is_noticed() -> None:
    desk, ledger = sent_one()
    desk.jobs["a"] = replace(RUNNING, state="succeeded", finished_at=4.0)
    ledger.look()
    desk.jobs["a"] = replace(RUNNING, started_at=30.0, state="succeeded", finished_at=31.0)
    assert ledger.tally().ran_twice == 1


def test_a_message_without_an_id_leaves_naming_to_the_queue() -> None:
    assert json.loads(message_body({"task": "train"})) == {"payload": {"task": "train"}}
    assert job_id_of(message_body(1, "a")) == "a"
    assert job_id_of("this is no job") is None
    assert job_id_of("[1]") is None


def test_an_item_tells_every_attempt_that_ended_and_the_one_that_runs() -> None:
    ended = {
        "attempt": {"N": "1"},
        "instance_id": {"S": "i-1"},
        "started_at": {"N": "3.0"},
        "state": {"S": "interrupted"},
    }
    job = job_of(
        {
            "job_id": {"S": "a"},
            "state": {"S": "running"},
            "attempt": {"N": "2"},
            "instance_id": {"S": "i-2"},
            "started_at": {"N": "9"},
            "history": {"L": [{"M": ended}]},
            "of_a_later_version": {"S": "?"},
        }
    )
    told = [(one.attempt, one.instance_id, one.state) for one in job.attempts]
    assert told == [(1, "i-1", "interrupted"), (2, "i-2", "running")]
    assert len(replace(job, state="interrupted", started_at=3.0).attempts) == 1


def test_an_item_of_a_job_that_has_only_begun_has_no_end() -> None:
    item = {"job_id": {"S": "a"}, "state": {"S": "running"}, "sent_at": {"N": "1.5"}}
    assert job_of(item) == Job("a", "running", 1.5)
