"""Published traces in their own form become ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.inputs import read_jobs
from simulator.originals import read_original
from simulator.trace import TraceError, write_trace


def philly(submitted: str, start: str | None, end: str | None, gpus: int = 1) -> dict[str, object]:
    detail = [{"ip": "m1", "gpus": [f"gpu{n}" for n in range(gpus)]}]
    attempts = [{"start_time": start, "end_time": end, "detail": detail}]
    return {"submitted_time": submitted, "attempts": attempts}


def test_one_gpu_jobs_of_philly_that_ended_are_kept(tmp_path: Path) -> None:
    log = [
        philly("2017-10-18 00:02:00", "2017-10-18 00:03:00", "2017-10-18 00:04:40"),
        philly("2017-10-18 00:00:00", "2017-10-18 00:00:10", "2017-10-18 00:01:00"),
        philly("2017-10-18 00:01:00", "2017-10-18 00:03:00", "2017-10-18 00:04:00", gpus=4),
        philly("2017-10-18 00:01:00", None, None),
    ]
    path = tmp_path / "cluster_job_log"
    path.write_text(json.dumps(log), encoding="utf-8")
    trace = read_original(path)
    assert trace.arrivals_seconds == (0.0, 120.0)
    assert trace.services_seconds == (50.0, 100.0)


def test_azure_arrivals_are_stretched_and_tokens_become_work(tmp_path: Path) -> None:
    path = tmp_path / "conv.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,374,44\n"
        "2023-11-16 18:15:48.6805900,400,20\n",
        encoding="utf-8",
    )
    trace = read_original(path, stretch=24)
    assert trace.arrivals_seconds == (0.0, 48.0)
    assert trace.services_seconds == (35.74, 24.0)
    write_trace(trace, tmp_path / "out.csv")
    assert read_jobs(tmp_path / "out.csv").services_seconds == trace.services_seconds


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2\n", b"[1, 2]", b"[{}", bytes(range(128, 256)) * 50],
    ids=["csv", "json", "half", "bytes"],
)
def test_another_file_is_refused_by_name_and_in_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letters.csv"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=r"letters\.csv is neither") as refused:
        read_original(path)
    assert len(str(refused.value)) < 300 + len(str(path))
