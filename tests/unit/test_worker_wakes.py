"""From the workers' lines to the table of what a wake is spent on."""

from cli.recording import Look, Recording
from cli.report import lap_rows
from cli.worker_wakes import LAPS, lap_percentiles, wakes_of

SPENT = {"boot": 2.0, "code_check": 0.5, "self_check": 3.0}
WOKEN = {"event": "first_receive", "instance_id": "i-1", "at": 9.0, "spent": SPENT}
SET_UP = WOKEN | {"spent": {"setup": 90.0, "self_check": 3.0}}
STARTED_AGAIN = WOKEN | {"spent": {"worker_start": 0.3, "self_check": 3.0}}


def test_only_a_worker_that_was_woken_counts() -> None:
    found = wakes_of(
        [WOKEN, SET_UP, STARTED_AGAIN, {"event": "job_output", "text": "first_receive"}]
    )
    assert [(wake.instance_id, wake.seconds) for wake in found] == [("i-1", 5.5)]


def test_a_lap_that_took_no_time_counts_as_none() -> None:
    found = lap_percentiles(wakes_of([WOKEN, WOKEN | {"spent": SPENT | {"boot": 4.0}}]))
    assert (found["boot"].p50, found["settings"].p50, found["total"].p50) == (3.0, 0.0, 6.5)


def test_the_table_has_a_row_for_each_lap_even_when_nothing_was_woken() -> None:
    rows = lap_rows(Recording(looks=(Look(0.0, 0, ()),)))
    assert [row["name"] for row in rows] == [*LAPS, "total"]
    assert {(row["p50"], row["count"]) for row in rows} == {("-", "0")}
