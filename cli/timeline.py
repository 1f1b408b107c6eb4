"""The picture of a run: capacity and queue above, one bar per instance below, jobs as ticks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from cli.palette import ALL_KINDS, RETURNING, Kind, kind_of
from cli.recording import Job, Look, Recording, Span, spans

BAR_HEIGHT = 0.62
INCHES_PER_INSTANCE = 0.42


def bars(history: Sequence[Span]) -> list[tuple[Kind, Span]]:
    """Each span of one instance with its colour.

    Warmed:Pending after service is the way back to the pool, before it is the setup.
    """
    coloured = []
    served = False
    for span in history:
        kind = kind_of(span.state)
        if served and span.state.startswith("Warmed:Pending"):
            kind = RETURNING
        served = (served or span.state == "InService") and span.state != "Warmed:Stopped"
        coloured.append((kind, span))
    return coloured


def draw_timeline(recording: Recording, path: Path, title: str) -> None:
    """Write the picture as PNG, from the first instance on; raises ValueError without one."""
    start = recording.start
    looks = [look for look in recording.looks if look.at >= start]
    histories = _in_order_of_appearance(recording)
    bars_height = INCHES_PER_INSTANCE * len(histories)
    figure = Figure(figsize=(12, 2.9 + bars_height), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.6, bars_height])
    below.set_xlim(0, looks[-1].at - start)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    _draw_capacity(above, looks, start)
    _draw_instances(below, histories, start)
    _draw_jobs(below, recording.jobs, list(histories), start)
    figure.legend(
        handles=_legend(histories), loc="outside lower left", ncols=4, frameon=False, fontsize=9
    )
    figure.savefig(path, dpi=150)


def _in_order_of_appearance(recording: Recording) -> dict[str, list[Span]]:
    histories = spans(recording.looks)
    return dict(sorted(histories.items(), key=lambda pair: (pair[1][0].start, pair[0])))


def _draw_capacity(axes: Axes, looks: Sequence[Look], start: float) -> None:
    times = [look.at - start for look in looks]
    backlog = [look.visible + look.in_flight for look in looks]
    axes.fill_between(times, backlog, step="post", color="#0072B2", alpha=0.18, linewidth=0)
    axes.step(times, backlog, where="post", color="#0072B2", linewidth=1.2, label="jobs in queue")
    desired, running = [look.desired for look in looks], [look.running for look in looks]
    axes.step(times, desired, "-k", where="post", linewidth=1.6, label="desired capacity")
    axes.step(times, running, "--", where="post", color="#009E73", label="in service")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.set_ylabel("jobs, instances")
    axes.legend(loc="upper left", frameon=False, ncols=3, fontsize=9)
    _plain(axes)


def _draw_instances(axes: Axes, histories: dict[str, list[Span]], start: float) -> None:
    for row, history in enumerate(histories.values()):
        for kind, span in bars(history):
            axes.barh(
                row,
                span.end - span.start,
                left=span.start - start,
                height=BAR_HEIGHT,
                color=kind.colour,
                linewidth=0,
            )
    axes.set_yticks(range(len(histories)), list(histories), family="monospace", fontsize=8)
    axes.set_ylim(len(histories) - 0.4, -0.6)
    axes.set_xlabel("seconds since the first instance was seen")
    _plain(axes)


def _draw_jobs(axes: Axes, jobs: Sequence[Job], rows: Sequence[str], start: float) -> None:
    """A tick where a job was started, a thin line through its time of work."""
    for job in jobs:
        if job.started_at is None or job.instance_id not in rows:
            continue
        row = rows.index(job.instance_id)
        begun = job.started_at - start
        ended = (job.finished_at or job.started_at) - start
        axes.plot([begun, begun], [row - 0.31, row + 0.31], color="black", linewidth=1.1)
        axes.plot([begun, ended], [row, row], color="black", linewidth=2.2, alpha=0.55)


def _legend(histories: dict[str, list[Span]]) -> list[Patch]:
    seen = {kind for history in histories.values() for kind, _ in bars(history)}
    patches = [Patch(color=kind.colour, label=kind.label) for kind in ALL_KINDS if kind in seen]
    return [*patches, Patch(color="black", label="a job: tick where it starts")]


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
