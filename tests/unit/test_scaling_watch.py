"""The watch: when the looks of a minute are due."""

from itertools import pairwise

import pytest

from pilotlight.scaling.forecast import ArrivalHistory
from pilotlight.scaling.watch import MINUTE_SECONDS, pause_seconds, tick_delays_seconds


@pytest.mark.parametrize("watch_seconds", range(1, MINUTE_SECONDS + 1))
def test_reconciles_look_and_the_ticks_leave_no_gap_longer_than_the_watch_and_no_overlap(
    watch_seconds: int,
) -> None:
    delays = tick_delays_seconds(watch_seconds)
    looks = [0, *delays, MINUTE_SECONDS]  # the first and the last are reconcile's own

    gaps = [after - before for before, after in pairwise(looks)]
    assert min(gaps) > 0
    assert max(gaps) <= watch_seconds


def test_the_shipped_watch_looks_twenty_times_a_minute() -> None:
    assert list(tick_delays_seconds(3)) == list(range(3, 60, 3))


@pytest.mark.parametrize(
    ("watch_seconds", "jobs", "pause"),
    [
        pytest.param(3, 0, 3, id="without a job the queue is watched as it was asked for"),
        pytest.param(3, 5, 3, id="and with less than one an hour"),
        pytest.param(3, 6, 1, id="a job an hour pays for a look each second"),
        pytest.param(0, 99, 0, id="a watch that is off stays off"),
    ],
)
def test_the_pause_between_two_looks(watch_seconds: int, jobs: int, pause: int) -> None:
    history = ArrivalHistory(per_minute=(jobs,) + (0,) * 359)

    assert pause_seconds(watch_seconds, history) == pause


def test_without_a_history_the_watch_is_as_it_was_asked_for() -> None:
    assert pause_seconds(3, None) == pause_seconds(3, ArrivalHistory(per_minute=())) == 3
