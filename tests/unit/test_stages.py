"""From a made-up recording to the stage table. One wake: sent at 100, working at 108."""

from dataclasses import replace

import pytest

from cli.recording import Activity, Decision, Job, Look, Member, Recording, Span, spans
from cli.stages import percentiles, setup_seconds, stage_percentiles, starts, wakes

NEW, SLEEPER = "i-new", "i-sleeper"


def look(at: float, **states: str) -> Look:
    return Look(at, 1, tuple(Member(name, state) for name, state in states.items()))


def sleeper_is(state: str, at: float) -> Look:
    return look(at, sleeper=state)


ONE_WAKE = (
    sleeper_is("Warmed:Stopped", at=90),
    sleeper_is("Warmed:Stopped", at=102),
    sleeper_is("Pending", at=102.5),
    sleeper_is("Pending:Wait", at=103),
    sleeper_is("InService", at=106),
    sleeper_is("InService", at=120),
)
RAISE = Decision(at=101.5, set_at=101.75, before=1, capacity=2, reason="BACKLOG", woken_by="watch")
WAITING = Job("a", "succeeded", 100.0, 1, "sleeper", 107.5, 108.0, 111.0)


def recorded(**changes: object) -> Recording:
    return replace(Recording(ONE_WAKE, (RAISE,), (WAITING,)), **changes)


def test_the_stages_of_a_wake_add_up_to_its_total() -> None:
    (wake,) = wakes(recorded())
    assert wake.seconds() == {
        "detect_s": 1.5,
        "decide_s": 0.25,
        "start_s": 1.25,
        "hook_s": 3.0,
        "ready_s": 2.0,
        "total_s": 8.0,
        "first_result_s": 3.0,
    }


def test_an_instance_that_enters_the_group_without_having_slept_is_no_wake() -> None:
    cold = (look(1, new="Pending"), look(5, new="Pending:Wait"), look(9, new="InService"))
    assert wakes(recorded(looks=cold)) == []


def test_an_instance_that_goes_back_and_wakes_again_is_two_wakes() -> None:
    again = (
        *ONE_WAKE,
        sleeper_is("Warmed:Pending:Wait", at=130),
        sleeper_is("Warmed:Stopped", at=140),
        sleeper_is("Pending:Wait", at=203),
        sleeper_is("InService", at=204),
    )
    second_raise = replace(RAISE, at=201.0, set_at=202.0)
    late = replace(WAITING, job_id="b", sent_at=200.0, received_at=204.5, started_at=205.0)
    first, second = wakes(
        recorded(looks=again, decisions=(RAISE, second_raise), jobs=(WAITING, late))
    )
    assert (first.seconds()["total_s"], second.seconds()["total_s"]) == (8.0, 5.0)


def test_a_job_that_was_already_being_worked_on_did_not_cause_the_raise() -> None:
    taken_before = Job("early", "succeeded", 40.0, 1, "other", 41.0, 41.5, 150.0)
    (wake,) = wakes(recorded(jobs=(taken_before, WAITING)))
    assert wake.sent_at == 100.0


def test_a_job_that_an_earlier_raise_saw_is_not_counted_again() -> None:
    """Otherwise a second raise would be charged with the whole wait of the first one's jobs."""
    first = replace(RAISE, at=60.0, set_at=60.5)
    still_waiting = replace(WAITING, job_id="old", sent_at=59.0, instance_id="other")
    (wake,) = wakes(recorded(decisions=(first, RAISE), jobs=(still_waiting, WAITING)))
    assert wake.sent_at == 100.0


def test_a_job_sent_after_the_wake_was_over_says_nothing_about_its_worker() -> None:
    much_later = replace(WAITING, sent_at=115.0, received_at=115.5, started_at=116.0)
    (wake,) = wakes(recorded(jobs=(much_later,)))
    assert wake.seconds()["ready_s"] is None


def test_capacity_raised_by_hand_gives_the_stages_after_it_and_no_others() -> None:
    (wake,) = wakes(recorded(decisions=()))
    assert wake.seconds()["detect_s"] is None
    assert wake.seconds()["hook_s"] == 3.0


def test_a_lowered_capacity_is_not_what_woke_an_instance() -> None:
    lowered = replace(RAISE, at=102.0, set_at=102.5, before=5, capacity=2)
    (wake,) = wakes(recorded(decisions=(RAISE, lowered)))
    assert wake.decided_at == RAISE.at


def test_a_stage_that_nobody_observed_has_no_percentiles() -> None:
    assert stage_percentiles([])["total_s"].p50 is None


def test_percentiles_lie_between_the_closest_ranks() -> None:
    found = percentiles([4.0, 1.0, 3.0, 2.0, 5.0])
    assert found.p50 == 3.0
    assert found.p95 == pytest.approx(4.8)


def launched(description: str, status: str = "Successful") -> Activity:
    return Activity(NEW, f"{description}: {NEW}", status, start=10.0, end=70.0)


def test_starts_are_told_apart_by_where_the_instance_came_from() -> None:
    found = starts(
        [
            launched("Launching a new EC2 instance into warm pool"),
            launched("Launching a new EC2 instance from warm pool"),
            launched("Launching a new EC2 instance from warm pool", status="Failed"),
            launched("Launching a new EC2 instance"),
            launched("Terminating EC2 instance"),
        ]
    )
    assert (found.warm, found.cold) == (1, 1)


def test_setup_lasts_from_launch_until_the_instance_was_proven() -> None:
    looks = tuple(
        Look(at, 1, (Member(NEW, state),))
        for at, state in (
            (12, "Warmed:Pending"),
            (14, "Warmed:Pending:Wait"),
            (60, "Warmed:Pending:Proceed"),
            (70, "Warmed:Stopped"),
        )
    )
    into_pool = launched("Launching a new EC2 instance into warm pool")
    assert setup_seconds(Recording(looks, activities=(into_pool,))) == [50.0]


def test_a_state_lasts_until_the_look_that_saw_the_next_one() -> None:
    assert spans(ONE_WAKE)["sleeper"] == [
        Span("Warmed:Stopped", 90, 102.5),
        Span("Pending", 102.5, 103),
        Span("Pending:Wait", 103, 106),
        Span("InService", 106, 120),
    ]
