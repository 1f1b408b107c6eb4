"""What past minutes let expect."""

import math
from dataclasses import replace
from itertools import pairwise, zip_longest
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.scaling.chances import tail
from pilotlight.scaling.forecast import NOTHING_KNOWN, foresee
from pilotlight.scaling.history import ArrivalHistory
from pilotlight.scaling.likeness import Moments, clump_of


def test_a_steady_stream_is_expected_to_go_on_as_a_poisson_process() -> None:
    forecast = foresee(ArrivalHistory(per_minute=(6,) * 60), 30.0)

    assert forecast.chances[:4] == pytest.approx((1.0, 0.9502, 0.8009, 0.5768), abs=1e-4)


def test_what_followed_such_minutes_before_is_expected_again() -> None:
    waves = (0,) * 8 + (10, 10)
    calm_after = foresee(ArrivalHistory(per_minute=waves * 20), 25.0)
    wave_after = foresee(ArrivalHistory(per_minute=(waves * 20)[:-3]), 25.0)

    assert calm_after.jobs_with_chance(0.1) == 0
    assert wave_after.jobs_with_chance(0.1) >= 1


def test_of_moments_equally_like_this_one_each_counts_whatever_came_after_it() -> None:
    """A job in two of five minutes: any five minutes have two, so all moments are alike."""
    forecast = foresee(ArrivalHistory(per_minute=(1, 1, 0, 0, 0) * 72), 60.0)

    assert forecast.chances[1] == pytest.approx(0.4 * (1.0 - math.exp(-1.0)), abs=0.005)


def test_after_a_batch_that_is_known_to_come_alone_nothing_is_expected() -> None:
    lone_batches = ((0,) * 30 + (12,)) * 8

    assert foresee(ArrivalHistory(per_minute=lone_batches), 25.0).jobs_with_chance(0.1) == 0


@given(st.randoms(use_true_random=False), st.integers(0, 400), st.sampled_from((1, 3, 20)))
def test_counted_minute_by_minute_is_the_same_as_gone_through(
    random: Random, minutes: int, most: int
) -> None:
    """Far more minutes are kept than are alike, so that the choice of these is met too."""
    per_minute = [random.randrange(most + 1) * random.randrange(2) for _ in range(minutes)]
    counted = Moments(kept_minutes=150, per_minute=per_minute)

    assert counted.followers() == Moments(150, per_minute[-150:]).followers()


def test_a_moment_that_began_before_the_first_minute_known_tells_nothing() -> None:
    """Two minutes of nothing before five jobs are no lull that jobs followed."""
    assert Moments(360, (0, 0, 5, 0, 0, 0, 0, 0)).followers() == {0: 1}


def test_a_burst_like_none_before_is_expected_to_go_on() -> None:
    first_burst = (0,) * 300 + (60,)

    assert foresee(ArrivalHistory(per_minute=first_burst), 25.0).jobs_with_chance(0.5) >= 4


WAVES = ArrivalHistory(per_minute=((1,) * 5 + (20,) * 5) * 30 + (1, 1), service_seconds=15.0)


def test_short_jobs_at_work_tell_that_a_wave_has_begun_before_the_minutes_do() -> None:
    unseen, calm, wave = (foresee(WAVES, 25.0, backlog) for backlog in (None, 0, 6))

    assert calm.chances[3] < unseen.chances[3] < wave.chances[3]
    assert calm.jobs_with_chance(0.5) == 0
    assert wave.jobs_with_chance(0.5) >= 7


def test_more_jobs_at_work_never_let_fewer_be_expected() -> None:
    forecasts = [foresee(WAVES, 25.0, backlog).chances for backlog in range(12)]

    for fewer, more in pairwise(forecasts):
        assert all(a <= b + 1e-12 for a, b in zip_longest(fewer, more, fillvalue=0.0))


def test_jobs_that_come_together_are_one_thing_seen() -> None:
    """Ten at once say little of the rate where jobs always come by ten."""
    clumps = ArrivalHistory(per_minute=((0, 0, 0, 0, 10) * 6 + (10,) * 30) * 6, service_seconds=15)
    unseen, seen = (foresee(clumps, 25.0, backlog).chances[1] for backlog in (None, 10))

    assert clumps.clump > 1.5
    assert unseen < seen < unseen + 0.3


@pytest.mark.parametrize(
    ("service_seconds", "is_overtaken"),
    [
        pytest.param(None, False, id="unknown work tells nothing"),
        pytest.param(59.0, True, id="jobs below a minute have come since"),
        pytest.param(60.0, False, id="jobs of a minute may have come before"),
    ],
)
def test_whose_backlog_is_newer_than_the_minutes(
    service_seconds: float | None, is_overtaken: bool
) -> None:
    history = ArrivalHistory(per_minute=(1,), service_seconds=service_seconds)

    assert history.is_overtaken is is_overtaken


def test_short_jobs_are_at_once_only_those_that_come_while_one_works() -> None:
    short = foresee(ArrivalHistory(per_minute=(6,) * 60, service_seconds=5.0), 30.0)

    assert short.chances[1] == pytest.approx(0.9502, abs=1e-4)
    assert short.chances_at_once[:3] == pytest.approx((1.0, 0.3935, 0.0902), abs=1e-4)


def test_short_jobs_that_came_together_are_at_once_together() -> None:
    """Ten in every other minute: a minute's variance is ten times its mean."""
    clumps = foresee(ArrivalHistory(per_minute=(0, 10) * 60, service_seconds=6.0), 30.0)
    alone = foresee(ArrivalHistory(per_minute=(5,) * 120, service_seconds=6.0), 30.0)

    assert clumps.chances_at_once[1] < alone.chances_at_once[1]
    assert clumps.chances_at_once[5] > 10 * sum(alone.chances_at_once[5:])


def test_jobs_in_clumps_come_by_a_negative_binomial_distribution() -> None:
    """Its mean is the sum of the chances of 1, 2, ... or more, and its zero is known."""
    at_least = tail(2.0, 4.0)

    assert at_least[1] == pytest.approx(1.0 - 4.0 ** (-2.0 / 3.0))
    assert sum(at_least[1:]) == pytest.approx(2.0, abs=0.05)


def test_a_rate_that_rises_slowly_makes_no_clumps() -> None:
    assert clump_of(tuple(range(100))) == 1.0


def test_what_comes_at_once_waits_by_turns_but_for_no_longer_than_a_start() -> None:
    forecast = replace(NOTHING_KNOWN, chances_at_once=(1.0, 0.8, 0.4, 0.1), service_seconds=20.0)

    assert forecast.waited_seconds(0, 25.0) == pytest.approx((0.8 + 0.4 + 0.1) * 25)
    assert forecast.waited_seconds(1, 25.0) == pytest.approx(0.4 * 20 + 0.1 * 25)
    assert forecast.waited_seconds(2, 25.0) == pytest.approx(0.1 * 10)
    assert forecast.waited_seconds(3, 25.0) == 0


def test_hundreds_of_jobs_a_minute_can_be_expected() -> None:
    forecast = foresee(ArrivalHistory(per_minute=(5_000,) * 60), 60.0)

    assert forecast.jobs_with_chance(0.5) == pytest.approx(5_000, abs=10)


def test_nothing_is_expected_without_a_past() -> None:
    forecast = foresee(ArrivalHistory(per_minute=()), 25.0)

    assert (forecast.chances, forecast.lasting) == ((1.0,), 0.0)


@pytest.mark.parametrize(
    ("least", "jobs"),
    [
        pytest.param(1.0, 0, id="what is sure is that none or more come"),
        pytest.param(0.5, 2, id="two have that very chance"),
        pytest.param(0.4, 2, id="a third is less likely"),
        pytest.param(0.0, 3, id="three are the most that is thinkable"),
        pytest.param(2.0, 0, id="more than sure nothing is"),
    ],
)
def test_jobs_with_a_chance(least: float, jobs: int) -> None:
    forecast = replace(NOTHING_KNOWN, chances=(1.0, 0.7, 0.5, 0.1))

    assert forecast.jobs_with_chance(least) == jobs


@pytest.mark.parametrize(
    ("per_minute", "share"),
    [
        pytest.param((1, 0, 30, 0), 0.0, id="a batch within a minute does not last"),
        pytest.param((0, 8, 8, 0, 0, 0, 0, 0), 0.375, id="the second minute of two goes on"),
        pytest.param((4,) * 100, 0.0, id="a stream is no burst"),
    ],
)
def test_the_share_of_jobs_in_lasting_bursts(per_minute: tuple[int, ...], share: float) -> None:
    assert foresee(ArrivalHistory(per_minute=per_minute), 25.0).lasting == share
