"""The end of a demo: its files, and its tables on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.report import Run, lap_rows, stage_rows, summary, write_html, write_json


def write_results(run: Run, folder: Path) -> None:
    """report.json, timeline.png and report.html."""
    from cli.timeline import draw_timeline  # matplotlib, which no other command needs

    write_json(summary(run), folder / "report.json")
    title = f"{run.stack}: {run.tally.sent} jobs, embedded AWS at speed {run.speed:g}"
    draw_timeline(run.recording, folder / "timeline.png", title)
    write_html(run, folder / "timeline.png", folder / "report.html")


def print_results(run: Run, folder: Path, console: Console) -> None:
    """The hook log of one instance, the stage table, cold against warm, the pool."""
    report = summary(run)
    console.rule(f"Lifecycle hooks of {run.story.instance_id}, from CloudWatch Logs")
    for line in run.story.lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(stage_table(run))
    console.print(lap_table(run))
    total = report["stages"]["total_s"]["p50"]
    console.print(
        f"cold setup {_text(report['setup_s'])} s, warm wake {_text(total)} s (medians); "
        "starts: {warm} warm, {cold} cold; ".format(**report["starts"])
        + "at the end {running} running, {stopped} stopped".format(**report["pool"]),
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        f"{folder}/report.json, report.html, timeline.png", highlight=False, soft_wrap=True
    )


def stage_table(run: Run) -> Table:
    """Where the time of a wake goes."""
    title = f"Where the time of a wake goes, seconds at speed {run.speed:g}"
    return _table(title, "stage", stage_rows(run.recording))


def lap_table(run: Run) -> Table:
    """And of it the worker's, which no speed divides."""
    title = "What a woken worker spends until its first receive, seconds"
    return _table(title, "lap", lap_rows(run.recording))


def _table(title: str, first_heading: str, rows: list[dict[str, str]]) -> Table:
    table = Table(title=title)
    for heading in (first_heading, "from, to"):
        table.add_column(heading)
    for heading in ("p50", "p95", "wakes"):
        table.add_column(heading, justify="right")
    for row in rows:
        style = "bold" if row["name"] == "total" else ""
        table.add_row(
            *(row[key] for key in ("name", "meaning", "p50", "p95", "count")), style=style
        )
    return table


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
