"""The watch: when the looks of a minute are due."""

from itertools import pairwise

import pytest

from pilotlight.scaling.history import ArrivalHistory
from pilotlight.scaling.watch import (
    HOUR_SECONDS,
    LOOK_USD,
    MINUTE_SECONDS,
    SECOND_OF_WAIT_SECONDS,
    pause_seconds,
    tick_delays_seconds,
)


@pytest.mark.parametrize("watch_seconds", range(1, MINUTE_SECONDS + 1))
def test_reconciles_look_and_the_ticks_leave_no_gap_longer_than_the_watch_and_no_overlap(
    watch_seconds: int,
) -> None:
    delays = tick_delays_seconds(watch_seconds)
    looks = [0, *delays, MINUTE_SECONDS]  # the first and the last are reconcile's own

    gaps = [after - before for before, after in pairwise(looks)]
    assert min(gaps) > 0
    assert max(gaps) <= watch_seconds


def test_a_pause_of_three_seconds_makes_twenty_looks_a_minute() -> None:
    assert list(tick_delays_seconds(3)) == list(range(3, 60, 3))


@pytest.mark.parametrize(
    ("watch_seconds", "jobs", "usd_an_hour", "pause"),
    [
        pytest.param(1, 0, 0.526, 3, id="without a job three seconds are good enough"),
        pytest.param(1, 6, 0.526, 2, id="a job an hour pays for a look each two"),
        pytest.param(1, 12, 0.526, 1, id="two jobs an hour pay for one each second"),
        pytest.param(1, 12, 0.0, 1, id="as they do where nobody told the price"),
        pytest.param(1, 12, 0.0416, 3, id="but not with a small instance"),
        pytest.param(1, 120, 0.0416, 1, id="of which twenty jobs are worth it"),
        pytest.param(2, 999, 0.526, 2, id="never less than asked for"),
        pytest.param(10, 0, 0.526, 10, id="nor more, where that is long"),
        pytest.param(0, 999, 0.526, 0, id="a watch that is off stays off"),
    ],
)
def test_the_pause_between_two_looks(
    watch_seconds: int, jobs: int, usd_an_hour: float, pause: int
) -> None:
    history = ArrivalHistory(per_minute=(jobs,) + (0,) * 359)

    assert pause_seconds(watch_seconds, history, usd_an_hour) == pause


def test_looks_and_waits_together_cost_least_at_that_pause() -> None:
    jobs_an_hour, usd_an_hour = 2.0, 0.05
    history = ArrivalHistory(per_minute=(2,) + (0,) * 59)

    def usd(pause: int) -> float:
        waited_seconds = jobs_an_hour * pause / 2
        looks = HOUR_SECONDS / pause
        return (
            looks * LOOK_USD + waited_seconds * SECOND_OF_WAIT_SECONDS * usd_an_hour / HOUR_SECONDS
        )

    chosen = pause_seconds(1, history, usd_an_hour)

    assert chosen == min(range(1, 4), key=usd)


def test_without_a_history_the_watch_takes_its_time() -> None:
    assert pause_seconds(1, None) == pause_seconds(1, ArrivalHistory(per_minute=())) == 3
