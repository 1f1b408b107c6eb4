"""Somebody who waits for thousands of seeds sees how far they are, on a terminal and in a log."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from faults import progress as module
from faults.plan import Fault, Plan
from faults.progress import progress
from faults.report import Totals, print_totals, write_totals
from faults.run import Result, run


@pytest.fixture(scope="module")
def result() -> Result:
    return run(Plan(7, faults=(Fault(30.0, "instance_terminated"),), quiet_at=60.0))


def shown(*, is_terminal: bool, result: Result | None) -> str:
    out, totals = io.StringIO(), Totals()
    console = Console(file=out, force_terminal=is_terminal, width=140)
    with progress(console, totals, 20):
        if result is not None:
            totals.add(result)
    return out.getvalue()


@pytest.mark.parametrize("is_terminal", [False, True])
def test_progress_tells_seeds_faults_and_jobs_so_far(is_terminal: bool, result: Result) -> None:
    text = shown(is_terminal=is_terminal, result=result)

    assert "up to 7: 1 faults, 0 jobs, 0 broken" in text
    assert ("1/20" if is_terminal else "1 of 20 seeds") in text


def test_a_log_has_a_line_though_no_seed_is_done_yet() -> None:
    assert "0 of 20 seeds, none done yet" in shown(is_terminal=False, result=None)


def test_a_log_has_one_line_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_SECONDS", 0.01)
    out = io.StringIO()
    with progress(Console(file=out), Totals(), 20):
        while out.getvalue().count("of 20 seeds") < 3:
            pass

    assert len(out.getvalue().splitlines()) >= 3


def test_a_progress_that_is_left_by_an_error_says_how_far_it_was(result: Result) -> None:
    out, totals = io.StringIO(), Totals()
    with pytest.raises(KeyboardInterrupt), progress(Console(file=out), totals, 20):
        totals.add(result)
        raise KeyboardInterrupt

    assert "1 of 20 seeds, up to 7" in out.getvalue()


def test_the_report_tells_what_was_done_where_and_what_came_of_it(
    tmp_path: Path, result: Result
) -> None:
    totals, out = Totals(), io.StringIO()
    totals.add(result)
    totals.led_to += Counter(function_failed=2)

    print_totals(Console(file=out, width=140), totals)
    written = json.loads(write_totals(tmp_path, totals).read_text(encoding="utf-8"))

    assert "0 jobs sent, 0 results, 0 dead letters" in out.getvalue()
    assert (written["faults"], written["led_to"]) == (
        {"instance_terminated": 1},
        {"function_failed": 2},
    )
    assert sum(written["where"]["instance_terminated"].values()) == 1
