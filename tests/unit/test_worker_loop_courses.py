"""What a worker does next after what it has gone through, moment by moment."""

from dataclasses import replace

import pytest

from pilotlight.worker.idleness import Patience
from pilotlight.worker.loop import decide
from pilotlight.worker.loop_state import (
    CONFIRM_SPREAD_SECONDS,
    LOOK_SECONDS,
    Action,
    Observation,
    Policy,
    Protection,
    Reason,
    State,
    entering_service,
    job_came,
    looked,
    protected,
    protection_call_failed,
    protection_dropped,
    receive_failed,
)

PATIENCE = Patience(idle_seconds=60, brief_seconds=5, unused_seconds=25, offer_seconds=15)
POLICY = Policy(PATIENCE, drain_seconds=120)
WOKEN = entering_service(0, jitter=0)
CONFIRMED = State(Protection.CONFIRMED)
DROPPED = State(Protection.DROPPED)
IN_SERVICE = Observation("InService")


def test_an_instance_back_from_a_running_pool_starts_afresh():
    left = decide(CONFIRMED, Observation("Warmed:Running", drain_deadline=50), 10, POLICY).state
    back = Observation("InService", drain_deadline=50)
    assert decide(left, back, 500, POLICY).action is Action.RESUME


def test_a_drained_instance_does_not_resume_before_it_has_left_the_group():
    drained = replace(IN_SERVICE, drain_deadline=50)
    state = decide(CONFIRMED, drained, 10, POLICY).state
    assert decide(state, drained, 500, POLICY).reason is Reason.DRAINED


def test_idle_time_begins_anew_when_protection_is_back():
    state = protected(looked(DROPPED, 1, now=500), now=501)
    assert decide(state, IN_SERVICE, 502, POLICY).action is Action.RECEIVE
    assert decide(state, IN_SERVICE, 561, POLICY).action is Action.UNPROTECT


def test_the_first_offer_that_is_not_taken_ends_a_brief_idle_time():
    alone = job_came(CONFIRMED, idle_seconds=0.1)
    state = protected(protection_dropped(alone, now=500), now=515)
    assert decide(state, IN_SERVICE, 574, POLICY).action is Action.RECEIVE
    assert decide(state, IN_SERVICE, 575, POLICY).action is Action.UNPROTECT


@pytest.mark.parametrize(
    "state",
    [
        protection_dropped(protection_call_failed(CONFIRMED, Action.UNPROTECT, 100, 0), now=110),
        protection_call_failed(protection_dropped(CONFIRMED, now=100), Action.PROTECT, 115, 0),
    ],
    ids=["giving it up had to be repeated", "taking it back was refused"],
)
def test_where_calls_are_refused_an_offer_stays_open_until_there_is_work(state):
    assert decide(looked(state, 0, now=900), IN_SERVICE, 901, POLICY).action is Action.WAIT
    assert decide(looked(state, 1, now=900), IN_SERVICE, 901, POLICY).action is Action.PROTECT


def test_a_worker_that_came_back_for_work_was_not_refused():
    state = protected(looked(protection_dropped(CONFIRMED, now=500), 1, now=502), now=502)
    assert state.idleness == CONFIRMED.idleness


def test_a_confirmation_does_not_prolong_the_idle_time():
    state = protected(WOKEN, now=40)
    assert decide(state, IN_SERVICE, 60, POLICY).action is Action.UNPROTECT


def test_a_drop_without_an_answer_stops_receiving_and_is_tried_again():
    state = protection_call_failed(CONFIRMED, Action.UNPROTECT, now=100, jitter=0)
    assert state.protection is Protection.DROPPING
    state = looked(state, 0, now=100)
    assert decide(state, IN_SERVICE, 100.5, POLICY).action is Action.WAIT
    assert decide(state, IN_SERVICE, 101, POLICY).action is Action.UNPROTECT


def test_protection_that_is_refused_is_not_asked_for_at_once_again():
    state = looked(DROPPED, 1, now=100)
    delays = []
    for _ in range(9):
        state = protection_call_failed(state, Action.PROTECT, now=100, jitter=0)
        assert decide(looked(state, 1, now=100), IN_SERVICE, 100, POLICY).action is Action.WAIT
        delays.append(state.call_at - 100)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_backlog_seen_before_a_release_is_not_believed_after_it():
    state = protection_dropped(replace(CONFIRMED, waiting=5), now=100)
    assert decide(state, IN_SERVICE, 100 + LOOK_SECONDS, POLICY).action is Action.LOOK


def test_workers_that_boot_together_do_not_call_together():
    moments = {entering_service(0, jitter=n / 100).confirm_at for n in range(100)}
    assert len(moments) == 100
    assert max(moments) - min(moments) > CONFIRM_SPREAD_SECONDS * 0.9


def test_a_queue_that_cannot_be_reached_is_left_alone_for_a_moment():
    state = receive_failed(CONFIRMED, now=10, jitter=0)
    assert decide(state, IN_SERVICE, 10.5, POLICY).reason is Reason.QUEUE_UNREACHABLE
    assert decide(state, IN_SERVICE, 11, POLICY).action is Action.RECEIVE
