"""What a churn run draws from its seed."""

from __future__ import annotations

from collections import Counter

import pytest

from cli.churn.plan import LONG, SHORT, Kind, Size, make_plan, picked


def test_the_same_seed_gives_the_same_jobs_and_strikes_and_another_gives_others() -> None:
    assert make_plan(7, SHORT) == make_plan(7, SHORT)
    assert make_plan(7, SHORT).strikes != make_plan(8, SHORT).strikes


@pytest.mark.parametrize("size", [LONG, SHORT])
def test_a_plan_has_every_strike_of_its_size_and_poison_on_top_of_its_jobs(size: Size) -> None:
    plan = make_plan(1, size)
    good = [job for job in plan.jobs if not job.poison]
    assert Counter(strike.kind for strike in plan.strikes) == size.strikes
    assert len(good) == size.jobs
    assert len({job.job_id for job in plan.jobs}) == len(plan.jobs)
    assert 0 < len(plan.jobs) - len(good) <= size.jobs / 20
    assert [job.at for job in plan.jobs] == sorted(job.at for job in plan.jobs)


def test_the_long_plan_strikes_in_every_way_there_is() -> None:
    assert set(LONG.strikes) == set(Kind)


def test_jobs_are_of_mixed_length_within_bounds() -> None:
    tenths = [job.payload["tenths"] for job in make_plan(1, LONG).jobs if job.expected]
    assert min(tenths) < 10  # type: ignore[type-var]
    assert max(tenths) > 200  # type: ignore[type-var]
    assert all(2 <= each <= 300 for each in tenths)  # type: ignore[operator]


def test_a_pick_reaches_the_first_and_the_last_and_nothing_beyond() -> None:
    assert [picked(pick, "abc") for pick in (0.0, 0.5, 1.0)] == ["a", "b", "c"]
