"""The schedule's language, and which period holds when."""

from datetime import UTC, datetime

import pytest

from pilotlight.scaling.schedule import ScheduleError, Sizes, read_schedule

WEEK = read_schedule(
    "mon-fri 08:00-18:00 Europe/Berlin min=2 spare=1; fri 12:00-18:00 Europe/Berlin min=1;"
    " sat 22:00-02:00 UTC spare=4"
)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param("2026-09-28 06:30", Sizes(least_capacity=2, least_spare=1), id="summer time"),
        pytest.param("2026-12-07 06:30", Sizes(), id="winter time: an hour later in UTC"),
        pytest.param("2026-09-28 16:00", Sizes(), id="the end is not part of it"),
        pytest.param("2026-10-02 10:30", Sizes(least_capacity=1), id="the last match wins whole"),
        pytest.param("2026-10-03 23:00", Sizes(least_spare=4), id="before midnight"),
        pytest.param("2026-10-04 01:59", Sizes(least_spare=4), id="on into the next day"),
        pytest.param("2026-10-03 01:59", Sizes(), id="but not before the day it begins on"),
    ],
)
def test_sizes_at(moment: str, expected: Sizes) -> None:
    assert WEEK.sizes(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == expected


def test_a_range_of_days_goes_round_the_weekend() -> None:
    schedule = read_schedule("sat-mon 00:00-24:00 UTC min=3")

    days = [schedule.sizes(datetime(2026, 9, day, 12, tzinfo=UTC)) for day in range(21, 28)]

    assert [it.least_capacity for it in days] == [3, 0, 0, 0, 0, 3, 3]  # Monday to Sunday


def test_no_text_is_no_schedule() -> None:
    assert read_schedule(" ;").sizes(datetime(2026, 9, 28, tzinfo=UTC)) == Sizes()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("weekdays 08:00-18:00 UTC min=1", "'weekdays' is not a day"),
        ("mon 08:00-25:00 UTC min=1", "25:00 is no time"),
        ("mon 08:00-18:00 Mars/Olympus min=1", "'Mars/Olympus' is no time zone"),
        ("mon 08:00-18:00 UTC", "is no period"),
        ("mon 08:00-18:00 UTC max=1", "is no period"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ScheduleError, match=complaint):
        read_schedule(text)
