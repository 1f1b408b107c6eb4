"""The verdict over a churn: each flaw there can be is seen, and wasted work has its cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cli.churn.plan import ChurnJob, Kind
from cli.churn.striker import Hit
from cli.churn.table_log import Write
from cli.churn.verdict import FAILED, INTERRUPTED, UNSTRUCK, Verdict, Waste, judge
from cli.churn.witness import Sighting
from cli.dead_letters import Letter

HERE, ELSEWHERE = "i-here", "i-elsewhere"
JOB = ChurnJob("one", 0.0, {"task": "count", "tenths": 30})
POISON = ChurnJob("bad", 0.0, {"task": "raise"}, poison=True)


def item(state: str, attempt: int = 1, **more: Any) -> dict[str, Any]:
    """An item of the jobs table as a stream shows it, of an attempt that began when it says."""
    values = {"job_id": "one", "state": state, "instance_id": HERE, **more}
    return {
        **{name: {"S": value} for name, value in values.items()},
        "attempt": {"N": str(attempt)},
        "started_at": {"N": str(attempt * 100)},
    }


def running(attempt: int = 1) -> Write:
    before = item(FAILED, attempt - 1) if attempt > 1 else {}
    return Write(before, item("running", attempt))


def succeeded(attempt: int = 1, result: str = '{"counted": 30}') -> Write:
    return Write(item("running", attempt), item("succeeded", attempt, result=result))


def seen(attempt: int = 1, seconds: float = 3.0, **more: Any) -> Sighting:
    began_at = attempt * 100.0
    return Sighting("one", attempt, began_at, ended_at=began_at + seconds, **more)


def letter(job_id: str, reason: str = "PoisonError") -> Letter:
    return Letter("m", "r", "{}", job_id, 0.0, reason)


def verdict_on(
    writes: Sequence[Write] = (running(), succeeded()),
    sightings: Sequence[Sighting] = (seen(completed=True),),
    letters: Sequence[Letter] = (),
    hits: Sequence[Hit] = (),
    jobs: Sequence[ChurnJob] = (JOB,),
    left: int = 0,
) -> Verdict:
    return judge(jobs, writes, sightings, letters, hits, left)


def test_one_right_result_is_flawless() -> None:
    verdict = verdict_on()
    assert verdict.flawless
    assert verdict.sentence == "1 sent, 1 results, 0 lost, 0 twice"
    assert (verdict.useful_seconds, verdict.wasted) == (3.0, {})


def test_a_job_without_result_is_lost_though_it_is_a_dead_letter() -> None:
    verdict = verdict_on(writes=[running()], letters=[letter("one")])
    assert verdict.lost == ("one",)
    assert not verdict.flawless


def test_a_result_that_is_written_over_is_twice() -> None:
    again = Write(succeeded().after, item("succeeded", 2, result='{"counted": 30}'))
    verdict = verdict_on(writes=[running(), succeeded(), again])
    assert verdict.twice == ("one",)
    assert verdict.sentence == "1 sent, 1 results, 0 lost, 1 twice"
    assert not verdict.flawless


def test_a_write_that_leaves_the_result_alone_is_no_second_result() -> None:
    after = succeeded().after
    touched = Write(after, {**after, "expires_at": {"N": "1"}})
    assert verdict_on(writes=[running(), succeeded(), touched]).flawless


def test_a_result_that_is_not_what_the_job_computes_is_wrong() -> None:
    verdict = verdict_on(writes=[running(), succeeded(result='{"counted": 29}')])
    assert verdict.wrong == ("one",)
    assert not verdict.flawless


def test_poison_has_to_be_a_dead_letter_with_a_reason() -> None:
    jobs = (JOB, POISON)
    assert verdict_on(jobs=jobs, letters=[letter("bad")]).flawless
    assert verdict_on(jobs=jobs, letters=[letter("bad", reason="")]).poison_left == ("bad",)
    assert verdict_on(jobs=jobs).poison_left == ("bad",)


def test_a_message_that_is_never_deleted_is_a_flaw_though_its_job_has_its_result() -> None:
    verdict = verdict_on(left=1)
    assert not verdict.flawless
    assert verdict.sentence == "1 sent, 1 results, 0 lost, 0 twice, 1 messages left"


def test_a_second_run_to_the_end_is_no_second_result_but_is_told() -> None:
    sightings = [seen(1, completed=True), seen(2, completed=True)]
    verdict = verdict_on([running(), running(2), succeeded(2)], sightings)
    assert verdict.flawless
    assert verdict.ran_again == 1


KILL = Hit(Kind.WORKER_KILLED, 101.0, 103.0, HERE, True, "")
MISS = Hit(Kind.JOB_KILLED, 101.0, 103.0, HERE, False, "")
OTHER = Hit(Kind.TERMINATED, 101.0, 103.0, ELSEWHERE, True, "")
EARLIER = Hit(Kind.REBOOTED, 98.0, 99.0, HERE, True, "")
CUT = Hit(Kind.API_CUT, 90.0, 110.0, "", True, "")
NOTICED = Hit(Kind.REBALANCE, 98.0, 98.1, HERE, True, "")
LOWERED = Hit(Kind.CAPACITY, 102.0, 102.1, "", True, "to 1")


@pytest.mark.parametrize(
    ("hits", "end", "cause"),
    [
        ([KILL, MISS, OTHER, EARLIER], "running", Kind.WORKER_KILLED),
        ([CUT, KILL], "running", Kind.WORKER_KILLED),
        ([CUT], "running", Kind.API_CUT),
        ([LOWERED], INTERRUPTED, Kind.CAPACITY),
        ([NOTICED, LOWERED], INTERRUPTED, Kind.REBALANCE),
        ([NOTICED, CUT], "running", Kind.API_CUT),
        ([LOWERED, MISS, OTHER, EARLIER], FAILED, UNSTRUCK[FAILED]),
    ],
)
def test_wasted_work_is_put_down_to_the_strike_that_ended_it(
    hits: list[Hit], end: str, cause: str
) -> None:
    first = Write(item("running"), item(end))
    verdict = verdict_on(
        [running(), first, running(2), succeeded(2)], [seen(), seen(2, completed=True)], hits=hits
    )
    assert verdict.wasted == {cause: Waste(1, 3.0)}


def test_what_was_saved_before_an_attempt_ended_is_not_wasted() -> None:
    verdict = verdict_on(
        [running(), running(2), succeeded(2)],
        [seen(saved_at=102.0), seen(2, completed=True)],
        hits=[KILL],
    )
    assert verdict.wasted == {Kind.WORKER_KILLED: Waste(1, 1.0)}
    assert verdict.useful_seconds == 5.0
