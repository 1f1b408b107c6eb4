"""What comes at the same minute of each hour."""

import pytest

from pilotlight.scaling.clockwork import chances_due, due_minutes, without_due
from pilotlight.scaling.forecast import due_now, due_soon
from pilotlight.scaling.history import ArrivalHistory

HOURLY = ((0,) * 20 + (12,) + (0,) * 39) * 6
QUARTERLY = ((9,) + (0,) * 14) * 24
STREAM = (2, 3, 1, 2, 4, 2) * 60


def changed(per_minute: tuple[int, ...], minute: int, jobs: int) -> tuple[int, ...]:
    return (*per_minute[:minute], jobs, *per_minute[minute + 1 :])


@pytest.mark.parametrize(
    ("per_minute", "minutes"),
    [
        pytest.param(HOURLY, [20], id="a batch each hour comes in its minute"),
        pytest.param(QUARTERLY, [0, 15, 30, 45], id="one each quarter comes in four"),
        pytest.param(HOURLY[:240], [20], id="four hours tell it"),
        pytest.param(HOURLY[1:240], [], id="less than four hours do not"),
        pytest.param(changed(HOURLY, 320, 0), [], id="it is not due when it failed to come once"),
        pytest.param(changed(HOURLY, 320, 5), [20], id="it may be smaller at times"),
        pytest.param(STREAM, [], id="a stream is due at no minute"),
        pytest.param((0,) * 360, [], id="nothing is due where nothing comes"),
        pytest.param(
            tuple(a + b for a, b in zip(HOURLY, STREAM, strict=True)),
            [20],
            id="a stream does not hide a batch",
        ),
        pytest.param((7, 0, 0, 0, 0) * 72, [], id="each fifth minute is too often to tell a clock"),
    ],
)
def test_minutes_that_are_due(per_minute: tuple[int, ...], minutes: list[int]) -> None:
    assert list(due_minutes(per_minute)) == minutes


def test_what_comes_besides_is_as_busy_as_the_minute_before() -> None:
    both = tuple(a + b for a, b in zip(HOURLY, STREAM, strict=True))

    besides = without_due(both, due_minutes(both))

    assert [count for minute, count in enumerate(both) if minute % 60 != 20] == [
        count for minute, count in enumerate(besides) if minute % 60 != 20
    ]
    assert [besides[20 + 60 * hour] for hour in range(6)] == [both[19]] * 6


def test_one_batch_in_five_is_larger_than_the_largest_of_four() -> None:
    assert chances_due((1, 2, 2, 3)) == pytest.approx((1.0, 0.8, 0.6, 0.2))
    assert chances_due(()) == (1.0,)


@pytest.mark.parametrize(
    ("minutes_to_go", "seconds_ago", "start_seconds", "soon", "now"),
    [
        pytest.param(3, 90, 25, 0, 0, id="not two minutes before"),
        pytest.param(2, 60, 25, 0, 0, id="not yet in the first half of the minute before"),
        pytest.param(2, 90, 25, 12, 0, id="in the second half, so that they are up in time"),
        pytest.param(2, 60, 60, 12, 0, id="earlier where a start takes longer"),
        pytest.param(3, 90, 90, 12, 0, id="two minutes before where it takes longer still"),
        pytest.param(1, 60, 25, 0, 12, id="in the minute itself they are waited for"),
        pytest.param(1, 30, 25, 12, 0, id="which is still to come where the minutes are newer"),
        pytest.param(0, 60, 25, 0, 0, id="and no longer when it is over"),
        pytest.param(4, 250, 25, 0, 12, id="however late the minutes are"),
    ],
)
def test_when_what_is_due_is_prepared(
    minutes_to_go: int, seconds_ago: int, start_seconds: float, soon: int, now: int
) -> None:
    """`minutes_to_go`: full minutes between the newest one and the batch's."""
    turn = 20 - minutes_to_go
    history = ArrivalHistory(
        per_minute=HOURLY[turn:] + HOURLY[:turn], newest_ended_seconds_ago=seconds_ago
    )
    forecasts = due_soon(history, start_seconds), due_now(history)

    assert [it.jobs_with_chance(0.1) for it in forecasts] == [soon, now]
