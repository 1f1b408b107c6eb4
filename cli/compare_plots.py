"""The pictures of a comparison: waits, capacity against demand, cost against p95."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.comparison import Comparison
from simulator.need import need_at_arrivals
from simulator.result import Result
from simulator.verdict import fair_peers, pareto_front

OURS = "#009E73"
PEER = "#8AA4B8"
KILLER = "#D55E00"
HOUR_SECONDS = 3600.0
LEAST_SHOWN_SECONDS = 0.1
WAITS_SHOWN = 9


def draw(comparison: Comparison, folder: Path) -> list[Path]:
    """Three PNG files, named after the trace."""
    drawings = {"waits": _waits, "capacity": _capacity, "pareto": _pareto}
    return [
        _write(comparison, drawing, folder / f"{comparison.trace.name}-{name}.png")
        for name, drawing in drawings.items()
    ]


def _write(comparison: Comparison, drawing: Callable[[Comparison, Axes], None], path: Path) -> Path:
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.add_subplot()
    drawing(comparison, axes)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    return path


def _waits(comparison: Comparison, axes: Axes) -> None:
    """Share of the jobs that waited so long at most: ours, and the peers nearest to it in cost."""
    ours = comparison.ours
    nearest = sorted(fair_peers(comparison.peers), key=lambda result: abs(result.usd - ours.usd))[
        :WAITS_SHOWN
    ]
    for result in (*nearest, ours):
        is_ours = result is ours
        axes.step(
            [max(wait, LEAST_SHOWN_SECONDS) for wait in result.waits_seconds],
            _shares(result.waits_seconds),
            where="post",
            label=f"{result.policy} (USD {result.usd:,.0f})",
            linewidth=2.5 if is_ours else 1.0,
            color=OURS if is_ours else None,
        )
    axes.set(
        xscale="log",
        xlabel=f"wait in seconds (less than {LEAST_SHOWN_SECONDS:g} at the left edge)",
        ylabel="share of jobs that waited no longer",
        title=f"{comparison.trace.name}: waits, ours and the peers of about its cost",
    )
    axes.legend(fontsize=8, loc="lower right")


def _shares(waits: Sequence[float]) -> list[float]:
    return [(index + 1) / len(waits) for index in range(len(waits))]


def _capacity(comparison: Comparison, axes: Axes) -> None:
    """What would be busy if nobody waited, and what ours had in the group."""
    trace, samples = comparison.trace, comparison.ours.samples
    axes.step(
        [arrival / HOUR_SECONDS for arrival in trace.arrivals_seconds],
        need_at_arrivals(trace),
        where="post",
        color=KILLER,
        linewidth=0.8,
        label="demand: jobs at work if nobody waited",
    )
    axes.step(
        [sample.at_seconds / HOUR_SECONDS for sample in samples],
        [sample.capacity for sample in samples],
        where="post",
        color=OURS,
        linewidth=1.2,
        label=f"capacity of {comparison.ours.policy}",
    )
    axes.set(xlabel="hours", ylabel="instances", title=f"{trace.name}: capacity against demand")
    axes.legend(fontsize=8)


def _pareto(comparison: Comparison, axes: Axes) -> None:
    for results, colour, label in (
        (fair_peers(comparison.peers), PEER, "peers"),
        (_unfair(comparison), KILLER, "peers that kill busy workers, or leave jobs undone"),
        ((comparison.ours, *comparison.variants), OURS, "pilotlight, by TargetWaitSeconds"),
    ):
        axes.scatter(
            [result.usd for result in results],
            [_shown(result) for result in results],
            color=colour,
            label=label,
            zorder=3,
        )
        for result in results:
            axes.annotate(
                result.policy, (result.usd, _shown(result)), fontsize=7,
                xytext=(4, 3), textcoords="offset points",
            )  # fmt: skip
    front = pareto_front((comparison.ours, *comparison.variants, *fair_peers(comparison.peers)))
    axes.step(
        [result.usd for result in front],
        [_shown(result) for result in front],
        where="post",
        color="#555555",
        linewidth=0.8,
        label="Pareto front",
    )
    axes.set(
        yscale="log",
        xlabel="USD for the whole trace",
        ylabel="p95 of the wait in seconds",
        title=f"{comparison.trace.name}: cost against wait",
    )
    axes.legend(fontsize=8)


def _unfair(comparison: Comparison) -> list[Result]:
    fair = fair_peers(comparison.peers)
    return [peer for peer in comparison.peers if peer not in fair]


def _shown(result: Result) -> float:
    return max(result.wait_p95_s, LEAST_SHOWN_SECONDS)
