"""What past minutes let expect."""

import pytest

from pilotlight.scaling.forecast import ArrivalHistory, foresee


def test_a_steady_stream_is_expected_to_go_on_as_a_poisson_process() -> None:
    forecast = foresee(ArrivalHistory(per_minute=(6,) * 60), 30.0)

    assert forecast.chances[:4] == pytest.approx((1.0, 0.9502, 0.8009, 0.5768), abs=1e-4)


def test_the_last_minutes_count_most() -> None:
    rising = foresee(ArrivalHistory(per_minute=(0,) * 50 + (9,) * 10), 25.0)
    falling = foresee(ArrivalHistory(per_minute=(9,) * 50 + (0,) * 10), 25.0)

    assert rising.jobs_with_chance(0.2) > falling.jobs_with_chance(0.2)


def test_hundreds_of_jobs_a_minute_can_be_expected() -> None:
    forecast = foresee(ArrivalHistory(per_minute=(5_000,) * 60), 60.0)

    assert forecast.jobs_with_chance(0.5) == pytest.approx(5_000, abs=10)


def test_nothing_is_expected_without_a_past() -> None:
    forecast = foresee(ArrivalHistory(per_minute=()), 25.0)

    assert (forecast.chances, forecast.company) == ((1.0,), 0.0)


def test_company_is_the_share_of_jobs_that_did_not_come_alone() -> None:
    assert foresee(ArrivalHistory(per_minute=(1, 0, 3, 0)), 25.0).company == 0.75
