"""What a worker does next. Time is a number; every row of a table is one moment."""

from dataclasses import replace

import pytest

from pilotlight.worker.idleness import Patience
from pilotlight.worker.loop import decide
from pilotlight.worker.loop_state import (
    CONFIRM_AFTER_SECONDS,
    Action,
    Fitness,
    Observation,
    Policy,
    Protection,
    Reason,
    State,
    entering_service,
    job_came,
    looked,
    perhaps_unprotected,
    protection_dropped,
)

PATIENCE = Patience(idle_seconds=60, brief_seconds=5, unused_seconds=25, offer_seconds=15)
POLICY = Policy(PATIENCE, drain_seconds=120)
WOKEN = entering_service(0, jitter=0)
CONFIRMED = State(Protection.CONFIRMED)
DROPPED = State(Protection.DROPPED)
IN_SERVICE = Observation("InService")


def row(sentence, state, seen, now, action, reason):
    return pytest.param(state, seen, now, action, reason, id=sentence.replace(" ", "_"))


@pytest.mark.parametrize(
    ("state", "seen", "now", "action", "reason"),
    [
        row(
            "a worker being warmed does nothing",
            WOKEN,
            Observation("Warmed:Stopped", Fitness.UNKNOWN, wanted=0),
            1,
            Action.WAIT,
            Reason.DRAINED,
        ),
        row(
            "without an answer from the metadata nothing is received",
            CONFIRMED,
            Observation(None),
            1,
            Action.WAIT,
            Reason.NOT_IN_SERVICE,
        ),
        row(
            "an instance on standby receives nothing",
            CONFIRMED,
            Observation("Standby"),
            1,
            Action.WAIT,
            Reason.NOT_IN_SERVICE,
        ),
        row(
            "a state nobody has heard of yet is not InService",
            CONFIRMED,
            Observation("Hibernating"),
            1,
            Action.WAIT,
            Reason.NOT_IN_SERVICE,
        ),
        row(
            "in service it checks itself first",
            WOKEN,
            replace(IN_SERVICE, fitness=Fitness.UNKNOWN),
            1,
            Action.SELF_CHECK,
            Reason.SELF_CHECK,
        ),
        row(
            "while it checks itself it receives nothing",
            WOKEN,
            replace(IN_SERVICE, fitness=Fitness.CHECKING),
            1,
            Action.WAIT,
            Reason.SELF_CHECK,
        ),
        row(
            "an unfit worker has itself replaced",
            WOKEN,
            replace(IN_SERVICE, fitness=Fitness.UNFIT),
            1,
            Action.REPORT_UNHEALTHY,
            Reason.SELF_CHECK_FAILED,
        ),
        row(
            "a woken worker receives before it makes any other call",
            WOKEN,
            IN_SERVICE,
            CONFIRM_AFTER_SECONDS,
            Action.RECEIVE,
            Reason.RECEIVING,
        ),
        row(
            "it confirms its protection while a receive is open",
            WOKEN,
            replace(IN_SERVICE, receiving=True),
            CONFIRM_AFTER_SECONDS,
            Action.PROTECT,
            Reason.CONFIRMING,
        ),
        row(
            "it confirms its protection while it is busy",
            WOKEN,
            replace(IN_SERVICE, running=1, wanted=0),
            CONFIRM_AFTER_SECONDS,
            Action.PROTECT,
            Reason.CONFIRMING,
        ),
        row(
            "with a receive open it waits for that one",
            CONFIRMED,
            replace(IN_SERVICE, receiving=True),
            1,
            Action.WAIT,
            Reason.RECEIVING,
        ),
        row(
            "with every slot taken it waits",
            CONFIRMED,
            replace(IN_SERVICE, running=1, wanted=0),
            500,
            Action.WAIT,
            Reason.BUSY,
        ),
        row(
            "one free slot of several is enough to receive",
            CONFIRMED,
            replace(IN_SERVICE, running=3, wanted=1),
            500,
            Action.RECEIVE,
            Reason.RECEIVING,
        ),
        row(
            "before it is idle long enough it goes on receiving",
            CONFIRMED,
            replace(IN_SERVICE, last_work_at=100),
            124,
            Action.RECEIVE,
            Reason.RECEIVING,
        ),
        row(
            "the time that the self check took is not idle time",
            CONFIRMED,
            replace(IN_SERVICE, ready_at=100),
            124,
            Action.RECEIVE,
            Reason.RECEIVING,
        ),
        row(
            "idle long enough it lets an open receive end first",
            CONFIRMED,
            replace(IN_SERVICE, last_work_at=100, receiving=True),
            160,
            Action.WAIT,
            Reason.IDLE,
        ),
        row(
            "idle long enough and with no receive open it drops protection",
            CONFIRMED,
            replace(IN_SERVICE, last_work_at=100),
            160,
            Action.UNPROTECT,
            Reason.IDLE,
        ),
        row(
            "after a job that had waited for it, it does so soon",
            job_came(CONFIRMED, idle_seconds=0.1),
            replace(IN_SERVICE, last_work_at=100),
            105,
            Action.UNPROTECT,
            Reason.IDLE,
        ),
        row(
            "a running job is never idle however long it takes",
            CONFIRMED,
            replace(IN_SERVICE, running=1, wanted=1),
            99_999,
            Action.RECEIVE,
            Reason.RECEIVING,
        ),
        row(
            "unprotected it looks and does not receive",
            DROPPED,
            IN_SERVICE,
            1,
            Action.LOOK,
            Reason.RELEASED,
        ),
        row(
            "between looks it waits",
            looked(DROPPED, 0, now=10),
            IN_SERVICE,
            11,
            Action.WAIT,
            Reason.RELEASED,
        ),
        row(
            "when work waits it asks for protection before it receives",
            looked(DROPPED, 3, now=10),
            IN_SERVICE,
            11,
            Action.PROTECT,
            Reason.WORK_WAITING,
        ),
        row(
            "nobody took it by the next look: it is wanted, and protects itself",
            protection_dropped(CONFIRMED, now=100),
            IN_SERVICE,
            115,
            Action.PROTECT,
            Reason.NOT_TAKEN,
        ),
        row(
            "before that it can still be taken",
            looked(protection_dropped(CONFIRMED, now=100), 0, now=114),
            IN_SERVICE,
            114.9,
            Action.WAIT,
            Reason.RELEASED,
        ),
        row(
            "started again after it asked to drop protection it asks again, since it may hold it",
            perhaps_unprotected(0),
            IN_SERVICE,
            0,
            Action.UNPROTECT,
            Reason.IDLE,
        ),
        row(
            "leaving it waits for its jobs",
            CONFIRMED,
            Observation("Terminated", running=1),
            1,
            Action.WAIT,
            Reason.DRAINING,
        ),
        row(
            "leaving it waits for an open receive too as that may bring a message",
            CONFIRMED,
            Observation("Warmed:Stopped", receiving=True),
            1,
            Action.WAIT,
            Reason.DRAINING,
        ),
        row(
            "asked to drain it receives nothing though the metadata still says InService",
            DROPPED,
            replace(IN_SERVICE, drain_deadline=100),
            1,
            Action.WAIT,
            Reason.DRAINED,
        ),
        row(
            "drained by hand it may be scaled in",
            CONFIRMED,
            replace(IN_SERVICE, drain_deadline=100),
            1,
            Action.UNPROTECT,
            Reason.DRAINED,
        ),
        row(
            "told to end it ends once nothing runs",
            CONFIRMED,
            replace(IN_SERVICE, terminating=True),
            1,
            Action.EXIT,
            Reason.DRAINED,
        ),
        row(
            "about to be interrupted it has itself replaced once nothing runs",
            CONFIRMED,
            replace(IN_SERVICE, notice_deadline=100),
            1,
            Action.REPORT_UNHEALTHY,
            Reason.INTERRUPTED,
        ),
    ],
)
def test_the_next_step(state, seen, now, action, reason):
    step = decide(state, seen, now, POLICY)
    assert (step.action, step.reason) == (action, reason)


@pytest.mark.parametrize(
    ("seen", "hand_back_at"),
    [
        pytest.param(Observation("Warmed:Stopped"), 1120, id="scale_in_leaves_the_drain_time"),
        pytest.param(Observation("Terminated"), 1120, id="termination_leaves_the_drain_time"),
        pytest.param(
            replace(IN_SERVICE, terminating=True), 1000, id="the_end_of_the_process_leaves_none"
        ),
        pytest.param(
            Observation("Terminated", drain_deadline=1050, notice_deadline=1090),
            1050,
            id="of_several_deadlines_the_first_counts",
        ),
        pytest.param(Observation("Standby"), None, id="standby_lets_jobs_finish"),
        pytest.param(Observation(None), None, id="silent_metadata_lets_jobs_finish"),
    ],
)
def test_when_running_jobs_are_handed_back(seen, hand_back_at):
    step = decide(CONFIRMED, replace(seen, running=1), 1000, POLICY)
    assert step.state.hand_back_at == hand_back_at


def test_time_that_passes_does_not_move_the_deadline():
    leaving = Observation("Terminated", running=1)
    state = decide(CONFIRMED, leaving, 1000, POLICY).state
    assert decide(state, leaving, 1060, POLICY).state.hand_back_at == 1120
