"""What a run leaves behind: report.json for programs, report.html for people."""

from __future__ import annotations

import base64
import json
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cli.recording import Job, Recording
from cli.stages import STAGES, Percentiles, setup_seconds, stage_percentiles, starts, wakes
from cli.tally import Tally
from cli.worker_wakes import LAPS, lap_percentiles

MEANINGS = {
    "detect_s": ("detect", "first job sent → the invocation that sees it begins"),
    "decide_s": ("decide", "it begins → SetDesiredCapacity has answered"),
    "start_s": ("start", "answered → EC2 has started the instance, it waits in its hook"),
    "hook_s": ("hook", "waits in its hook → InService"),
    "ready_s": ("worker ready", "InService → its worker starts a job"),
    "total_s": ("total", "first job sent → work begins on the woken instance"),
    "first_result_s": ("first result", "work begins → that job's result is recorded"),
}
OUTCOME_CHARACTERS = 90


@dataclass(frozen=True)
class HookStory:
    """What the functions logged about the lifecycle of one instance, oldest line first."""

    instance_id: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A run that is over: what is known of it, and the settings it had."""

    stack: str
    speed: float
    recording: Recording
    tally: Tally
    story: HookStory
    versions: Mapping[str, str]


def summary(run: Run) -> dict[str, Any]:
    """The content of report.json; docs/measure.md says what each number is."""
    percentiles = stage_percentiles(wakes(run.recording))
    last = run.recording.looks[-1]
    setups = setup_seconds(run.recording)
    return {
        "jobs": asdict(run.tally),
        "stages": {stage: _pair(percentiles[stage]) for stage in STAGES},
        "first_result_s": _pair(percentiles["first_result_s"]),
        "worker_wake_s": {
            lap: _pair(found) for lap, found in lap_percentiles(run.recording.worker_wakes).items()
        },
        "starts": asdict(starts(run.recording.activities)),
        "setup_s": round(statistics.median(setups), 3) if setups else None,
        "pool": {"running": last.running, "stopped": last.stopped},
        "speed": run.speed,
        "stack": run.stack,
        "versions": dict(run.versions),
    }


def stage_rows(recording: Recording) -> list[dict[str, str]]:
    """One row of text per stage: name, meaning, p50, p95, count."""
    found = stage_percentiles(wakes(recording))
    return [_row(name, meaning, found[stage]) for stage, (name, meaning) in MEANINGS.items()]


def lap_rows(recording: Recording) -> list[dict[str, str]]:
    """As stage_rows, of a woken worker until its first receive."""
    found = lap_percentiles(recording.worker_wakes)
    meanings = {**LAPS, "total": "the system manager starts -> the first receive"}
    return [_row(lap, meaning, found[lap]) for lap, meaning in meanings.items()]


def write_json(report: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def write_html(run: Run, picture: Path, path: Path) -> None:
    """One file that needs no other: style, tables and the picture are within."""
    environment = Environment(
        loader=PackageLoader("cli"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    report = summary(run)
    page = environment.get_template("report.html.j2").render(
        report=report,
        verdict=run.tally.verdict,
        flawless=run.tally.flawless,
        finished=datetime.fromtimestamp(run.recording.looks[-1].at, UTC).strftime(
            "%Y-%m-%d %H:%M UTC"
        ),
        figures=_figures(report),
        picture=base64.b64encode(picture.read_bytes()).decode("ascii"),
        stages=stage_rows(run.recording),
        laps=lap_rows(run.recording),
        decisions=run.recording.decisions,
        start=run.recording.start,
        jobs=[_job_row(job, run.recording.start) for job in _by_sending(run.recording.jobs)],
        story=run.story,
    )
    path.write_text(page, encoding="utf-8")


def _figures(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("jobs succeeded", f"{report['jobs']['succeeded']} / {report['jobs']['sent']}"),
        ("lost", str(report["jobs"]["lost"])),
        ("from send to work, p50", f"{_seconds(report['stages']['total_s']['p50'])} s"),
        ("cold setup, median", f"{_seconds(report['setup_s'])} s"),
        ("starts warm / cold", f"{report['starts']['warm']} / {report['starts']['cold']}"),
        ("running / asleep at the end", "{running} / {stopped}".format(**report["pool"])),
    ]


def _job_row(job: Job, start: float) -> dict[str, str]:
    return {
        "job_id": job.job_id,
        "state": job.state,
        "instance_id": job.instance_id,
        "sent": f"{_seconds(job.sent_at - start)} s",
        "waited": f"{_seconds(_between(job.sent_at, job.started_at))} s",
        "ran": f"{_seconds(_between(job.started_at, job.finished_at))} s",
        "outcome": textwrap.shorten(job.error or job.result, OUTCOME_CHARACTERS, placeholder=" …"),
    }


def _by_sending(jobs: Sequence[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (job.sent_at, job.job_id))


def _row(name: str, meaning: str, found: Percentiles) -> dict[str, str]:
    return {
        "name": name,
        "meaning": meaning,
        "p50": _seconds(found.p50),
        "p95": _seconds(found.p95),
        "count": str(found.count),
    }


def _pair(found: Percentiles) -> dict[str, float | None]:
    return {"p50": _rounded(found.p50), "p95": _rounded(found.p95)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start
