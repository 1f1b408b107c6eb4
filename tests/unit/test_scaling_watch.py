"""The watch: when the looks of a minute are due."""

from itertools import pairwise

import pytest

from pilotlight.scaling.watch import MINUTE_SECONDS, tick_delays_seconds


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
