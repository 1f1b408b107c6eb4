"""Traces: read with care, or made."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import mean, variance

import pytest

from simulator.generators import bursty, steady
from simulator.inputs import read_jobs
from simulator.need import need_at_arrivals, need_over_time, prepared_for
from simulator.trace import Trace, TraceError


def file_of(folder: Path, *lines: str) -> Path:
    path = folder / "jobs.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_trace_is_read_in_the_order_of_its_lines(tmp_path: Path) -> None:
    trace = read_jobs(file_of(tmp_path, "arrival_s,service_s", "0,10.5", "", "0,1", "7.25,3"))
    assert trace == Trace("jobs", (0.0, 0.0, 7.25), (10.5, 1.0, 3.0))


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param(
            ["arrival_s,length"], r"line 1: the header is 'arrival_s,length'", id="header"
        ),
        pytest.param(["arrival_s,service_s", "1,2", "x,2"], r"line 3: arrival_s is 'x'", id="word"),
        pytest.param(["arrival_s,service_s", "5,2", "4,2"], r"line 3: .*sort the file", id="order"),
        pytest.param(["arrival_s,service_s", "5"], r"line 2: '5' has no service_s", id="column"),
        pytest.param(["arrival_s,service_s", "5,0"], r"line 2: service_s is 0", id="no work"),
        pytest.param(["arrival_s,service_s", "5,-1"], r"line 2: service_s is '-1'", id="negative"),
        pytest.param(["arrival_s,service_s", "nan,1"], r"line 2: arrival_s is 'nan'", id="nan"),
        pytest.param(["arrival_s,service_s"], "holds no job", id="empty"),
    ],
)
def test_bad_input_is_named_with_its_line(tmp_path: Path, lines: list[str], complaint: str) -> None:
    with pytest.raises(TraceError, match=complaint):
        read_jobs(file_of(tmp_path, *lines))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"nowhere\.csv cannot be read"):
        read_jobs(tmp_path / "nowhere.csv")


def test_need_counts_the_jobs_at_work_together() -> None:
    trace = Trace("t", (0.0, 5.0, 10.0, 30.0), (10.0, 10.0, 10.0, 1.0))
    assert need_at_arrivals(trace) == [1, 2, 2, 1]


def test_need_falls_when_jobs_end() -> None:
    trace = Trace("t", (0.0, 5.0, 10.0), (10.0, 10.0, 10.0))
    moments, need = need_over_time(trace)
    assert moments == [0.0, 5.0, 10.0, 10.0, 15.0, 20.0]
    assert need == [1, 2, 1, 2, 1, 0]


def test_the_pool_is_never_larger_than_the_group_may_be() -> None:
    trace = Trace("t", tuple(float(n) for n in range(40)), (1000.0,) * 40)
    assert prepared_for(trace, max_size=1000) == 50
    assert prepared_for(trace, max_size=20) == 20


@pytest.mark.parametrize(
    ("trace", "dispersion", "load"),
    [
        pytest.param(bursty(), (15.0, 32.0), (11.0, 17.0), id="bursty"),
        pytest.param(steady(), (0.9, 1.3), (12.0, 17.0), id="steady"),
    ],
)
def test_made_traces_have_the_published_shape(
    trace: Trace, dispersion: tuple[float, float], load: tuple[float, float]
) -> None:
    minutes = Counter(int(arrival // 60) for arrival in trace.arrivals_seconds)
    counts = [minutes[minute] for minute in range(int(trace.window_seconds // 60))]
    assert dispersion[0] < variance(counts) / mean(counts) < dispersion[1]
    assert load[0] < trace.work_hours / (trace.window_seconds / 3600) < load[1]
    assert list(trace.arrivals_seconds) == sorted(trace.arrivals_seconds)
