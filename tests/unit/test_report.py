"""report.json and report.html of a made-up run."""

import json
from pathlib import Path

from cli.recording import Decision, Job, Look, Member, Recording
from cli.report import HookStory, Run, summary, write_html, write_json
from cli.tally import Tally
from cli.timeline import draw_timeline

LOOKS = tuple(
    Look(at, 2, (Member("i-1", state), Member("i-2", "InService")), pool_size=0)
    for at, state in ((0.0, "Warmed:Stopped"), (4.0, "Pending:Wait"), (5.0, "InService"))
)
JOB = Job("a", "succeeded", 1.0, 1, "i-1", 6.0, 6.5, 8.0, result='{"loss": 0.25}')
RAISE = Decision(2.0, 2.5, before=1, capacity=2, reason="BACKLOG", woken_by="watch")


def made_up(job: Job = JOB) -> Run:
    return Run(
        stack="demo",
        speed=4.0,
        recording=Recording(LOOKS, (RAISE,), (job,)),
        tally=Tally(1, 1, 0, 0, 0),
        story=HookStory("i-1", ("lifecycle action: hook=ready",)),
        versions={"torch": "2.13.0"},
    )


def test_the_report_has_the_keys_that_others_read(tmp_path: Path) -> None:
    write_json(summary(made_up()), tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["jobs"] == {"sent": 1, "succeeded": 1, "failed": 0, "lost": 0, "ran_twice": 0}
    assert report["stages"] == {
        "detect_s": {"p50": 1.0, "p95": 1.0},
        "decide_s": {"p50": 0.5, "p95": 0.5},
        "start_s": {"p50": 1.5, "p95": 1.5},
        "hook_s": {"p50": 1.0, "p95": 1.0},
        "ready_s": {"p50": 1.5, "p95": 1.5},
        "total_s": {"p50": 5.5, "p95": 5.5},
    }
    assert report["starts"] == {"warm": 0, "cold": 0}
    assert report["setup_s"] is None
    assert report["pool"] == {"running": 2, "stopped": 0}


def page_of(run: Run, folder: Path) -> str:
    draw_timeline(run.recording, folder / "t.png", "one job")
    write_html(run, folder / "t.png", folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_no_other_file(tmp_path: Path) -> None:
    page = page_of(made_up(), tmp_path)
    assert 'src="data:image/png;base64,' in page
    assert "http" not in page.replace("data:image", "").split("base64,")[0]


def test_what_a_job_returned_cannot_write_into_the_page(tmp_path: Path) -> None:
    hostile = Job("a", "failed", 1.0, error="<script>alert(1)</script>")
    page = page_of(made_up(hostile), tmp_path)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
