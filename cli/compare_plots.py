"""The pictures of a comparison: waits, capacity against demand, cost against p95."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from simulator.comparison import Comparison
from simulator.need import need_over_time
from simulator.result import Result
from simulator.verdict import fair_peers, pareto_front

OURS = "#009E73"
PEER = "#56768F"
KILLER = "#D55E00"
DEMAND = "#E9B384"
HOUR_SECONDS = 3600.0
LEAST_SHOWN_SECONDS = 0.1
WAITS_SHOWN = 9
SHOWN_HOURS = 8.0  # around the peak
NEAR = 0.02  # share of a picture's width and height within which points have one label
# The corner that is shown larger: up to so many times the p95 of the fastest, or about a start.
FAST, FAST_SECONDS = 2.2, 35.0
TICKS, FEW_TICKS = (1, 1.5, 2, 2.5, 3, 4, 5, 7), (1, 2, 5)  # for less than two decades, for more
ABOVE, BELOW = (5, 4), (4, -11)  # points, from a point to its label

Limits = tuple[tuple[float, float], tuple[float, float]]


def draw(comparison: Comparison, folder: Path) -> list[Path]:
    """Three PNG files, named after the trace."""
    drawings = {"waits": _waits, "capacity": _capacity, "pareto": _pareto}
    return [
        _write(comparison, drawing, folder / f"{comparison.trace.name}-{name}.png")
        for name, drawing in drawings.items()
    ]


def _write(
    comparison: Comparison, drawing: Callable[[Comparison, Figure], None], path: Path
) -> Path:
    figure = Figure(figsize=(12, 7), layout="constrained")
    drawing(comparison, figure)
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    return path


def _waits(comparison: Comparison, figure: Figure) -> None:
    """Share of the jobs that waited so long at most: ours, and the peers nearest to it in cost."""
    axes, ours = figure.add_subplot(), comparison.ours
    nearest = sorted(fair_peers(comparison.peers), key=lambda result: abs(result.usd - ours.usd))[
        :WAITS_SHOWN
    ]
    for result in (*nearest, ours):
        is_ours = result is ours
        axes.step(
            [max(wait, LEAST_SHOWN_SECONDS) for wait in result.waits_seconds],
            [100 * (index + 1) / result.jobs for index in range(result.jobs)],
            where="post",
            label=f"{result.policy} (USD {result.usd:,.0f})",
            linewidth=2.5 if is_ours else 1.0,
            color=OURS if is_ours else None,
        )
    axes.set(
        xscale="log",
        xlabel=f"wait in seconds (less than {LEAST_SHOWN_SECONDS:g} at the left edge)",
        ylabel="per cent of the jobs that waited no longer",
        title=f"{comparison.trace.name}: waits, ours and the peers of about its cost",
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(fontsize=9, loc="lower right")


def _capacity(comparison: Comparison, figure: Figure) -> None:
    """What would be busy if nobody waited, and what ours had in the group: all, then the peak."""
    trace, samples = comparison.trace, comparison.ours.samples
    moments, need = need_over_time(trace)
    hours = [moment / HOUR_SECONDS for moment in moments]
    peak = hours[need.index(max(need))]
    whole, part = figure.subplots(2)
    for axes, width in ((whole, 0.9), (part, 1.8)):
        axes.fill_between(hours, need, step="post", color=DEMAND, linewidth=0,
                          label="demand: jobs at work if nobody waited")  # fmt: skip
        axes.step(
            [sample.at_seconds / HOUR_SECONDS for sample in samples],
            [sample.capacity for sample in samples],
            where="post",
            color=OURS,
            linewidth=width,
            label=f"capacity of {comparison.ours.policy}",
        )
        axes.set(ylabel="instances")
        axes.margins(x=0)
    whole.set(title=f"{trace.name}: capacity against demand")
    whole.legend(fontsize=9)
    begin = max(0.0, peak - SHOWN_HOURS / 4)
    part.set(xlim=(begin, begin + SHOWN_HOURS), xlabel="hours")
    part.set_title(f"{SHOWN_HOURS:g} hours around the peak", fontsize=10)


def _pareto(comparison: Comparison, figure: Figure) -> None:
    """Everybody, and the fast corner larger; peers have numbers, ours its TargetWaitSeconds."""
    whole, corner = figure.subplots(1, 2)
    fastest = min(_shown(result) for result in comparison.results)
    most = max(FAST * fastest, FAST_SECONDS)
    near = [result for result in _fair(comparison) if _shown(result) <= most]
    limits = _limits(near or _fair(comparison))
    in_corner = {result.policy for result in near}
    _points(comparison, whole, [it for it in comparison.results if it.policy not in in_corner])
    _points(comparison, corner, near)
    corner.set(xlim=limits[0], ylim=limits[1], title="the fast corner")
    whole.indicate_inset([*_corner(limits)], edgecolor="#333333", linestyle=":")
    whole.set(ylabel="p95 of the wait in seconds", title=f"{comparison.trace.name}: cost and wait")
    for axes in (whole, corner):
        axes.set(yscale="log", xlabel="USD for the whole trace")
        low, high = axes.get_ylim()
        subs = TICKS if high < 100 * low else FEW_TICKS
        axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=30))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    handles, labels = whole.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9)
    key = "\n".join(f"{number:2} {policy}" for policy, number in _numbers(comparison).items())
    figure.legend([], [], loc="outside right upper", title=key, title_fontsize=8, frameon=False,
                  alignment="left")  # fmt: skip


def _points(comparison: Comparison, axes: Axes, shown: Sequence[Result]) -> None:
    fair = fair_peers(comparison.peers)
    ours = (comparison.ours, *comparison.variants)
    for results, colour, label in (
        (fair, PEER, "peers, by their number"),
        ([peer for peer in comparison.peers if peer not in fair], KILLER,
         "peers that kill busy workers, or leave jobs undone"),
        (ours, OURS, "pilotlight, by TargetWaitSeconds"),
    ):  # fmt: skip
        axes.scatter(
            [result.usd for result in results], [_shown(result) for result in results],
            color=colour, label=label, zorder=3, s=28,
        )  # fmt: skip
    front = pareto_front([*ours, *fair])
    axes.step(
        [result.usd for result in front], [_shown(result) for result in front],
        where="post", color="#999999", linewidth=0.9, label="Pareto front",
    )  # fmt: skip
    numbers, targets = _numbers(comparison), _targets(comparison)
    peers = [result for result in shown if result.policy in numbers]
    _name(axes, peers, numbers, ABOVE, "#333333")
    _name(axes, [result for result in shown if result.policy in targets], targets, BELOW, OURS)


def _name(
    axes: Axes,
    results: Sequence[Result],
    names: Mapping[str, object],
    beside: tuple[float, float],
    colour: str,
) -> None:
    for group in _together(results):
        axes.annotate(
            ", ".join(str(names[result.policy]) for result in group),
            (group[0].usd, _shown(group[0])),
            fontsize=8,
            color=colour,
            xytext=beside,
            textcoords="offset points",
        )


def _together(results: Sequence[Result]) -> list[list[Result]]:
    """Those whose points lie on one another have one label."""
    if not results:
        return []
    (left, right), (low, high) = _limits(results)
    groups: list[list[Result]] = []
    for result in sorted(results, key=lambda result: (result.usd, _shown(result))):
        for group in groups:
            beside = abs(result.usd - group[0].usd) <= NEAR * (right - left)
            above = max(_shown(result), _shown(group[0])) / min(_shown(result), _shown(group[0]))
            if beside and above <= (high / low) ** NEAR:
                group.append(result)
                break
        else:
            groups.append([result])
    return groups


def _limits(results: Iterable[Result]) -> Limits:
    """With a margin, cost in USD and p95 in seconds (on a logarithmic scale)."""
    costs = [result.usd for result in results]
    waits = [_shown(result) for result in results]
    margin = 0.08 * (max(costs) - min(costs)) or 1.0
    factor = max(1.08, (max(waits) / min(waits)) ** 0.06)
    return (min(costs) - margin, max(costs) + margin), (min(waits) / factor, max(waits) * factor)


def _corner(limits: Limits) -> tuple[float, float, float, float]:
    """Left, bottom, width, height."""
    (left, right), (low, high) = limits
    return left, low, right - left, high - low


def _numbers(comparison: Comparison) -> dict[str, int]:
    """Of each peer, the cheapest first."""
    by_cost = sorted(comparison.peers, key=lambda result: result.usd)
    return {peer.policy: number for number, peer in enumerate(by_cost, start=1)}


def _targets(comparison: Comparison) -> dict[str, str]:
    """What ours is called in the picture."""
    ours = (comparison.ours, *comparison.variants)
    return {it.policy: it.policy.partition("@")[2] or "as shipped" for it in ours}


def _fair(comparison: Comparison) -> list[Result]:
    return [comparison.ours, *comparison.variants, *fair_peers(comparison.peers)]


def _shown(result: Result) -> float:
    return max(result.wait_p95_s, LEAST_SHOWN_SECONDS)
