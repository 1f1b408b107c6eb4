"""The scaling decision as a table: what it expects, and what people want besides."""

from dataclasses import replace

import pytest

from pilotlight.scaling.decision import (
    Decision,
    Observation,
    Policy,
    Reason,
    desired_capacity,
)
from pilotlight.scaling.demand import RIVALS
from pilotlight.scaling.history import ArrivalHistory
from tests.scaling_sights import hour, seen

WAVES = ArrivalHistory(per_minute=((1,) * 5 + (20,) * 5) * 30 + (1, 1), service_seconds=15.0)
FEW_ENDED = replace(hour(0, 10), ended_jobs=5)
BEFORE_A_BATCH = ArrivalHistory(
    per_minute=((0, 0, 12) + (0,) * 57) * 6, service_seconds=300.0, newest_ended_seconds_ago=90
)
IN_ITS_MINUTE = replace(BEFORE_A_BATCH, newest_ended_seconds_ago=120)
LONE_JOBS = ArrivalHistory(per_minute=((0,) * 27 + (1, 0, 0)) * 8)
A_BURST = ArrivalHistory(per_minute=(0,) * 300 + (40, 40) + (0,) * 58)
CLUMPS = ArrivalHistory(per_minute=(0, 10) * 180, service_seconds=4.0)
LARGE_CLUMPS = ArrivalHistory(per_minute=(0, 600) * 180, service_seconds=4.0)
LONE_BATCHES = ArrivalHistory(per_minute=((0,) * 50 + (12,) + (0,) * 9) * 6)


@pytest.mark.parametrize(
    ("observation", "policy", "expected"),
    [
        pytest.param(
            seen(0, desired=0, history=hour(12)),
            Policy(target_wait_seconds=5, start_seconds=25),
            Decision(6, Reason.EXPECTED_ARRIVALS),  # P(Poisson(5) >= 6) = 0.38, >= 7: 0.24
            id="five jobs within a start: the seventh is too unlikely for a start of its own",
        ),
        pytest.param(
            seen(0, desired=0, history=hour(12)),
            Policy(target_wait_seconds=25, start_seconds=25),
            Decision(0, Reason.NO_CHANGE),
            id="who can wait for a start needs nobody ready",
        ),
        pytest.param(
            seen(0, desired=0, history=hour(0)),
            Policy(),
            Decision(0, Reason.NO_CHANGE),
            id="a quiet hour lets nothing expect",
        ),
        pytest.param(
            seen(0, desired=0, history=hour(3)),
            Policy(target_wait_seconds=15),
            Decision(0, Reason.NO_CHANGE),  # P(Poisson(1.25) >= 1) = 0.71, below 15/25 x 1.375
            id="three jobs a minute are seldom worth starting a worker that waits for them",
        ),
        pytest.param(
            seen(0, desired=1, idle=1, history=hour(3)),
            Policy(target_wait_seconds=15),
            Decision(1, Reason.NO_CHANGE),  # but above 25/45
            id="one that is there already stays: it would be missed before another is up",
        ),
        pytest.param(
            seen(0, desired=9, protected=0, idle=9, max_size=9, history=hour(3)),
            Policy(target_wait_seconds=15),
            Decision(1, Reason.IDLE),
            id="more of them go",
        ),
        pytest.param(
            seen(0, 1, desired=2, protected=1, idle=1, history=hour(2)),
            Policy(),
            Decision(3, Reason.EXPECTED_ARRIVALS),  # P(Poisson(0.83) >= 2) = 0.20, >= 3: 0.05
            id="a job that begins has a spare worker started in its place",
        ),
        pytest.param(
            seen(0, 0, desired=3, protected=0, idle=3, history=hour(2)),
            Policy(),
            Decision(3, Reason.NO_CHANGE),
            id="and when it ends the worker stays: the next job would start it anew",
        ),
        pytest.param(
            seen(1, desired=0, history=LONE_JOBS),
            Policy(target_wait_seconds=20),
            Decision(1, Reason.BACKLOG),
            id="a job that comes alone wakes one",
        ),
        pytest.param(
            seen(10, desired=0, warm=50, max_size=100, history=A_BURST),
            Policy(target_wait_seconds=20),
            Decision(10 + round(10 * RIVALS * 0.5 * 0.2), Reason.EXPECTED_ARRIVALS),
            id="where bursts last, ten are not the last",
        ),
        pytest.param(
            seen(10, desired=0, warm=12, max_size=100, history=A_BURST),
            Policy(target_wait_seconds=20),
            Decision(12, Reason.EXPECTED_ARRIVALS),
            id="but no instance is set up for what may come",
        ),
        pytest.param(
            seen(10, desired=0, warm=50, max_size=100, history=LONE_BATCHES),
            Policy(target_wait_seconds=4),
            Decision(
                10, Reason.BACKLOG
            ),  # the eleventh saves 8 x 110 / (2 x 11 x 12) = 3.3 s < 9.6
            id="where a batch is all there is, no more than it needs",
        ),
        pytest.param(
            seen(10, desired=0, warm=50, max_size=100, history=LONE_BATCHES),
            Policy(),
            Decision(13, Reason.EXPECTED_ARRIVALS),  # the 13th saves 2.8 s, above 2.4, a 14th 2.4
            id="unless waits are dear enough to have its slowest starts outrun",
        ),
        pytest.param(
            seen(1, desired=0, warm=50, max_size=100, history=LONE_JOBS),
            Policy(),
            Decision(1, Reason.BACKLOG),
            id="a second start for one job saves too little of its wait",
        ),
        pytest.param(
            seen(0, desired=12, idle=12, max_size=100, history=LONE_BATCHES),
            Policy(),
            Decision(0, Reason.IDLE),
            id="after it nobody stays for another",
        ),
        pytest.param(
            seen(12, 8, desired=8, protected=8, max_size=20, history=hour(0, 10)),
            Policy(),
            Decision(8, Reason.NO_CHANGE),
            id="short jobs wait for the workers who are there: no start is as fast",
        ),
        pytest.param(
            seen(13, 8, desired=8, protected=8, max_size=20, history=hour(0, 10)),
            Policy(),
            Decision(9, Reason.BACKLOG),
            id="one more than they surely begin during a start wakes one",
        ),
        pytest.param(
            seen(12, 8, desired=8, protected=8, max_size=20, history=FEW_ENDED),
            Policy(),
            Decision(15, Reason.BACKLOG),  # of 17.4 s at most, 8 workers surely begin 5 in a start
            id="fewer where five jobs alone tell how long one works",
        ),
        pytest.param(
            seen(1, 8, desired=8, protected=8, max_size=20, history=hour(0, 100)),
            Policy(),
            Decision(9, Reason.BACKLOG),
            id="that one of eight long jobs ends in time is too much luck",
        ),
        pytest.param(
            seen(0, 10, desired=10, protected=10, max_size=30, history=hour(12, 100)),
            Policy(target_wait_seconds=5, start_seconds=25),
            Decision(14, Reason.EXPECTED_ARRIVALS),
            id="two of six expected jobs go to workers that become free meanwhile",
        ),
        pytest.param(
            seen(0, desired=0, warm=20, max_size=20, history=BEFORE_A_BATCH),
            Policy(),
            Decision(12, Reason.EXPECTED_ARRIVALS),
            id="a batch that comes each hour finds its workers ready",
        ),
        pytest.param(
            seen(0, desired=0, warm=8, max_size=20, history=BEFORE_A_BATCH),
            Policy(),
            Decision(8, Reason.EXPECTED_ARRIVALS),
            id="as many as are set up: who is not would come too late",
        ),
        pytest.param(
            seen(0, desired=0, warm=20, max_size=20, history=BEFORE_A_BATCH),
            Policy(target_wait_seconds=15),
            Decision(0, Reason.NO_CHANGE),  # 4/5 is below 15/25 x 1.375
            id="unless a wait is cheaper than the chance that it fails to come",
        ),
        pytest.param(
            seen(0, desired=12, idle=12, warm=8, max_size=20, history=IN_ITS_MINUTE),
            Policy(),
            Decision(12, Reason.NO_CHANGE),
            id="in its minute they are waited for",
        ),
        pytest.param(
            seen(0, 12, desired=12, protected=12, warm=8, max_size=20, history=IN_ITS_MINUTE),
            Policy(),
            Decision(12, Reason.NO_CHANGE),
            id="and when it has come, nobody else is started",
        ),
        pytest.param(
            seen(0, 0, desired=12, idle=12, max_size=20, history=WAVES),
            Policy(target_wait_seconds=5),
            Decision(4, Reason.IDLE),
            id="when a wave of short jobs is over, workers go before the minutes tell",
        ),
        pytest.param(
            seen(0, 6, desired=6, protected=6, max_size=20, history=WAVES),
            Policy(),
            Decision(10, Reason.EXPECTED_ARRIVALS),
            id="and when another has begun, more start",
        ),
        pytest.param(
            seen(0, desired=0, history=hour(30, 4)),
            Policy(),
            Decision(4, Reason.EXPECTED_ARRIVALS),  # for 0.22 s: the 4th saves 0.31, a 5th 0.07
            id="for short jobs so many as save waits by turns that are worth their time",
        ),
        pytest.param(
            seen(0, desired=0, history=hour(10, 4)),
            Policy(),
            Decision(2, Reason.EXPECTED_ARRIVALS),
            id="two where ten come in each minute, one by one",
        ),
        pytest.param(
            seen(0, desired=0, max_size=20, history=CLUMPS),
            Policy(),
            Decision(5, Reason.EXPECTED_ARRIVALS),
            id="and five where ten come together in each other minute",
        ),
        pytest.param(
            seen(0, desired=0, max_size=20, history=LARGE_CLUMPS),
            Policy(target_wait_seconds=25),
            Decision(0, Reason.NO_CHANGE),
            id="but none, however many, where a start is good enough",
        ),
        pytest.param(
            seen(0, 2, desired=2, protected=2),
            Policy(target_wait_seconds=0),
            Decision(3, Reason.EXPECTED_ARRIVALS),
            id="who wants no wait at all always has one without a job",
        ),
        pytest.param(
            seen(0, 0, desired=12, idle=12, max_size=20, history=WAVES),
            Policy(),
            Decision(7, Reason.IDLE),
            id="of those who are there seven are worth their time",
        ),
        pytest.param(
            seen(0, 0, desired=5, idle=5, max_size=20, history=WAVES),
            Policy(),
            Decision(6, Reason.EXPECTED_ARRIVALS),
            id="but six a start of their own",
        ),
        pytest.param(
            seen(0, desired=0, history=hour(1, 0.5)),
            Policy(),
            Decision(1, Reason.EXPECTED_ARRIVALS),
            id="the first worker is worth a start however short jobs are",
        ),
        pytest.param(
            seen(0, 2, desired=2, protected=2),
            Policy(least_spare=1),
            Decision(3, Reason.SCHEDULE),
            id="the schedule's spare worker comes on top of the busy ones",
        ),
        pytest.param(
            seen(0, desired=3, idle=3),
            Policy(least_capacity=2),
            Decision(2, Reason.IDLE),
            id="the schedule's least size stays",
        ),
        pytest.param(
            seen(9, desired=1, max_size=20),
            Policy(affordable=4),
            Decision(4, Reason.AT_SPEND_LIMIT),
            id="no more than the day's money pays for",
        ),
        pytest.param(
            seen(9, desired=6, protected=6, max_size=20),
            Policy(affordable=4),
            Decision(6, Reason.HELD_BY_BUSY),
            id="a lowered limit waits for the jobs that run",
        ),
        pytest.param(
            seen(9, desired=6, idle=6, max_size=20),
            Policy(affordable=4),
            Decision(4, Reason.AT_SPEND_LIMIT),
            id="and then takes idle workers, whatever waits",
        ),
        pytest.param(
            seen(9, desired=0, min_size=3, max_size=20),
            Policy(affordable=2),
            Decision(3, Reason.AT_MIN),
            id="money never undoes the least size",
        ),
    ],
)
def test_what_is_expected_and_what_people_want(
    observation: Observation, policy: Policy, expected: Decision
) -> None:
    observation = observation._replace(max_size=max(observation.max_size, 9))

    assert desired_capacity(observation, policy) == expected
