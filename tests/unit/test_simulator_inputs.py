"""A queue's counts, as CloudWatch exports them, become jobs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import mean

import pytest
from typer.testing import CliRunner

from cli.main import app
from simulator.inputs import read_jobs
from simulator.services import Lognormal, Observed
from simulator.trace import Trace, TraceError

SERVICES = Lognormal(60.0)

METRIC_DATA = json.dumps(
    {
        "MetricDataResults": [
            {
                "Id": "sent",
                "Label": "NumberOfMessagesSent",
                # The newest come first, and SQS reports nothing for an idle hour.
                "Timestamps": ["2026-09-01T00:10:00+00:00", "2026-09-01T00:00:00+00:00"],
                "Values": [2.0, 3.0],
                "StatusCode": "Complete",
            },
            {
                "Id": "sent",
                "Label": "NumberOfMessagesSent",
                "Timestamps": ["2026-09-01T00:15:00+00:00"],
                "Values": [1.0],
                "StatusCode": "Complete",
            },
        ]
    }
)
METRIC_STATISTICS = json.dumps(
    {
        "Label": "NumberOfMessagesSent",
        "Datapoints": [
            {"Timestamp": "2026-09-01T00:10:00Z", "Sum": 2.0, "Unit": "Count"},
            {"Timestamp": "2026-09-01T00:15:00Z", "Sum": 1.0, "Unit": "Count"},
            {"Timestamp": "2026-09-01T00:00:00Z", "Sum": 3.0, "Unit": "Count"},
        ],
    }
)
CONSOLE = """Full label,NumberOfMessagesReceived,NumberOfMessagesSent
Period,300,300
2026/09/01 00:00:00,7,3
2026/09/01 00:05:00,,
2026/09/01 00:10:00,7,2
2026/09/01 00:15:00,7,1
"""


def read(folder: Path, text: str, services: Lognormal | Observed | None = SERVICES) -> Trace:
    path = folder / "queue.export"
    path.write_text(text, encoding="utf-8")
    return read_jobs(path, services)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(METRIC_DATA, id="get-metric-data"),
        pytest.param(METRIC_STATISTICS, id="get-metric-statistics"),
        pytest.param(CONSOLE, id="console"),
    ],
)
def test_jobs_come_within_the_period_that_counted_them(tmp_path: Path, text: str) -> None:
    trace = read(tmp_path, text)
    assert Counter(arrival // 300 for arrival in trace.arrivals_seconds) == {0: 3, 2: 2, 3: 1}
    assert list(trace.arrivals_seconds) == sorted(trace.arrivals_seconds)
    assert trace.name == "queue"


def test_the_same_seed_makes_the_same_jobs(tmp_path: Path) -> None:
    assert read(tmp_path, METRIC_DATA) == read(tmp_path, METRIC_DATA)
    other = read_jobs(tmp_path / "queue.export", SERVICES, seed=2)
    assert other.arrivals_seconds != read(tmp_path, METRIC_DATA).arrivals_seconds


def test_jobs_work_as_long_on_average_as_was_said(tmp_path: Path) -> None:
    rows = (f"2026-09-01 {hour:02}:00:00,900" for hour in range(24))
    trace = read(tmp_path, "\n".join(rows), Lognormal(60.0, spread=0.5))
    assert 57 < mean(trace.services_seconds) < 63
    alike = read(tmp_path, METRIC_DATA, Lognormal(60.0, spread=0.0))
    assert set(alike.services_seconds) == {60.0}
    assert set(read(tmp_path, METRIC_DATA, Observed((5.0, 7.0))).services_seconds) <= {5.0, 7.0}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("start,length\n1,2\n", "no line begins with a time.*arrival_s", id="csv"),
        pytest.param('{"Metrics": []}', "neither MetricDataResults nor Datapoints", id="json"),
        pytest.param("{", "is not usable", id="half a file"),
        pytest.param(CONSOLE + "tomorrow,1\n", r"line 7: 'tomorrow' is no time", id="time"),
        pytest.param("2026-09-01 00:00:00,many\n", r"line 1: 'many' is no number", id="number"),
        pytest.param("2026-09-01 00:00:00,1\n", "how long it is", id="one period"),
        pytest.param(
            "2026-09-01 00:00:00,0.5\n2026-09-01 00:05:00,1\n", "statistic Sum", id="averages"
        ),
        pytest.param(METRIC_STATISTICS.replace("Sum", "Average"), "statistic Sum", id="no sum"),
        pytest.param(METRIC_DATA.replace("Sent", "Received"), "alone", id="another metric"),
        pytest.param(
            "2026-09-01 00:00:00,0\n2026-09-01 00:05:00,0\n", "no message", id="nothing sent"
        ),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(TraceError, match=rf"(?s)queue\.export.*{complaint}"):
        read(tmp_path, text)


def test_the_command_asks_for_the_work_of_a_job_where_only_counts_are_known(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sent.json"
    path.write_text(METRIC_DATA, encoding="utf-8")
    command = ["simulate", "--trace", str(path), "--json"]
    asked = CliRunner().invoke(app, command)
    assert asked.exit_code == 1
    assert "add --service-seconds" in asked.output
    told = CliRunner().invoke(app, [*command, "--service-seconds", "30"])
    assert json.loads(told.stdout)[0]["jobs"] == 6
