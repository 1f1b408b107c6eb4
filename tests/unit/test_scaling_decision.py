"""The scaling decision as a table, and what holds for every observation."""

import itertools
import timeit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilotlight.scaling.decision import (
    Decision,
    Observation,
    Policy,
    Reason,
    desired_capacity,
)
from pilotlight.scaling.history import ArrivalHistory
from tests.scaling_sights import seen


@pytest.mark.parametrize(
    ("observation", "jobs_per_instance", "expected"),
    [
        pytest.param(
            seen(0, desired=0), 1, Decision(0, Reason.NO_CHANGE), id="nothing to do and nobody here"
        ),
        pytest.param(
            seen(1, desired=0), 1, Decision(1, Reason.BACKLOG), id="the first job leaves zero"
        ),
        pytest.param(
            seen(4, desired=1, protected=1), 1, Decision(4, Reason.BACKLOG), id="out in one step"
        ),
        pytest.param(
            seen(0, 3, desired=3, protected=3),
            1,
            Decision(3, Reason.NO_CHANGE),
            id="jobs in flight are work too",
        ),
        pytest.param(
            seen(9, desired=0), 4, Decision(3, Reason.BACKLOG), id="a part-full instance is one"
        ),
        pytest.param(
            seen(9, desired=1), 1, Decision(5, Reason.AT_MAX), id="more than max is refused by us"
        ),
        pytest.param(
            seen(9, desired=5, protected=5), 1, Decision(5, Reason.AT_MAX), id="already at max"
        ),
        pytest.param(
            seen(0, desired=0, min_size=2), 1, Decision(2, Reason.AT_MIN), id="min was raised"
        ),
        pytest.param(
            seen(0, desired=3, idle=3), 1, Decision(0, Reason.IDLE), id="all idle workers may go"
        ),
        pytest.param(
            seen(0, desired=3, idle=3, min_size=1), 1, Decision(1, Reason.IDLE), id="down to min"
        ),
        pytest.param(
            seen(0, 1, desired=3, protected=2, idle=1),
            1,
            Decision(2, Reason.HELD_BY_BUSY),
            id="a protected worker is never given away",
        ),
        pytest.param(
            seen(0, desired=4, protected=1, starting=3),
            1,
            Decision(4, Reason.HELD_BY_BUSY),
            id="what is starting is not called back",
        ),
        pytest.param(
            seen(0, desired=3, protected=3, idle=2),
            1,
            Decision(3, Reason.HELD_BY_BUSY),
            id="idle workers already asked to leave are not counted twice",
        ),
        pytest.param(
            seen(0, desired=3, idle=3, delayed=7),
            1,
            Decision(0, Reason.IDLE),
            id="delayed jobs are not work yet",
        ),
        pytest.param(
            seen(0, desired=6, protected=6), 1, Decision(5, Reason.HELD_BY_BUSY), id="max lowered"
        ),
    ],
)
def test_decision(observation: Observation, jobs_per_instance: int, expected: Decision) -> None:
    assert desired_capacity(observation, Policy(jobs_per_instance=jobs_per_instance)) == expected


def test_a_group_that_is_being_deleted_is_left_alone() -> None:
    observation = seen(9, desired=0, min_size=1)._replace(is_being_deleted=True)

    assert desired_capacity(observation, Policy()) == Decision(0, Reason.BEING_DELETED)


def test_an_unknown_depth_holds_the_capacity() -> None:
    observation = Observation(
        queue=None, desired=3, min_size=0, max_size=5, in_service=3, protected=0
    )

    assert desired_capacity(observation, Policy()) == Decision(3, Reason.UNKNOWN_METRICS)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    max_size = draw(st.integers(0, 50))
    return seen(
        draw(st.integers(0, 200)),
        draw(st.integers(0, 200)),
        desired=draw(st.integers(0, max_size)),
        protected=draw(st.integers(0, max_size)),
        idle=draw(st.integers(0, max_size)),
        starting=draw(st.integers(0, max_size)),
        warm=draw(st.integers(0, 100)),
        min_size=draw(st.integers(0, max_size)),
        max_size=max_size,
        history=draw(histories),
    )


by_the_clock = st.lists(st.integers(0, 3) | st.just(0), min_size=60, max_size=60).map(
    lambda hour: (*hour, *hour, *hour, *hour)
)
histories = st.none() | st.builds(
    ArrivalHistory,
    per_minute=st.lists(st.integers(0, 80), max_size=70).map(tuple) | by_the_clock,
    service_seconds=st.none() | st.floats(0.5, 4000),
    ended_jobs=st.none() | st.integers(1, 100),
    newest_ended_seconds_ago=st.integers(0, 300),
)
policies = st.builds(
    Policy,
    jobs_per_instance=st.integers(1, 8),
    target_wait_seconds=st.floats(0, 40),
    least_capacity=st.integers(0, 10),
    least_spare=st.integers(0, 3),
    affordable=st.none() | st.integers(0, 40),
)


@given(observations(), policies)
def test_capacity_stays_within_bounds(observation: Observation, policy: Policy) -> None:
    capacity = desired_capacity(observation, policy).capacity

    assert observation.min_size <= capacity <= observation.max_size


@given(observations(), policies)
def test_capacity_is_never_lowered_below_what_works_or_starts(
    observation: Observation, policy: Policy
) -> None:
    capacity = desired_capacity(observation, policy).capacity

    assert capacity >= min(observation.desired, observation.protected + observation.starting)


@given(observations(), policies, st.integers(0, 50), st.integers(0, 50))
def test_more_backlog_never_means_less_capacity(
    observation: Observation, policy: Policy, more: int, working: int
) -> None:
    assert observation.queue is not None
    queue = observation.queue
    fuller = queue._replace(visible=queue.visible + more, in_flight=queue.in_flight + working)
    busier = observation._replace(queue=fuller)

    before, after = (desired_capacity(it, policy).capacity for it in (observation, busier))

    assert after >= before


@given(
    st.integers(0, 40),
    st.integers(0, 20),
    st.integers(0, 60),
    histories,
    policies,
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12),
)
@example(
    backlog=2,
    desired=0,
    prepared=5,
    history=ArrivalHistory(per_minute=(1, 1), service_seconds=1.0),
    policy=Policy(target_wait_seconds=0.0),
    looks=[(0.0, 0.0), (0.25, 1.0)],
)
def test_a_constant_load_never_makes_capacity_go_up_and_down(
    backlog: int,
    desired: int,
    prepared: int,
    history: ArrivalHistory | None,
    policy: Policy,
    looks: list[tuple[float, float]],
) -> None:
    """Whatever part of the workers is up and idle at each look."""
    capacities = [desired]
    for up_share, idle_share in looks:
        in_service = int(capacities[-1] * up_share)
        idle = int(in_service * idle_share)
        observation = seen(
            backlog,
            desired=capacities[-1],
            protected=in_service - idle,
            idle=idle,
            starting=capacities[-1] - in_service,
            warm=max(0, prepared - capacities[-1]),
            max_size=20,
            history=history,
        )
        capacities.append(desired_capacity(observation, policy).capacity)
    steps = [b - a for a, b in itertools.pairwise(capacities) if a != b]

    assert all(step > 0 for step in steps) or all(step < 0 for step in steps)


def test_a_decision_at_five_thousand_instances_takes_a_small_part_of_a_look() -> None:
    """Work, not time, is counted by comparing with five; a new minute's forecast is in it."""
    minutes = tuple(180 + (7 * minute) % 40 for minute in range(360))
    moments = itertools.count()

    def seconds(instances: int) -> float:
        def decide() -> None:
            history = ArrivalHistory(per_minute=(*minutes[1:], 180 + next(moments) % 40))
            desired_capacity(
                seen(
                    instances // 2,
                    instances // 4,
                    desired=instances,
                    protected=instances // 4,
                    idle=instances - instances // 4,
                    max_size=instances,
                    history=history,
                ),
                Policy(),
            )

        return min(timeit.repeat(decide, number=50, repeat=5)) / 50

    assert seconds(5_000) < 10 * seconds(5)
