"""The picture of two trainings: their losses, one upon the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

COLOURS = ("#8AA4B8", "#D55E00")


def draw_loss_curves(curves: Mapping[str, Sequence[float]], path: Path) -> None:
    """Write the picture as PNG: the first curve as a broad line, the second as dots on it."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    styles: tuple[dict[str, Any], ...] = (
        {"linewidth": 6, "alpha": 0.6},
        {"linestyle": "none", "marker": ".", "markersize": 5},
    )
    for (label, losses), colour, style in zip(curves.items(), COLOURS, styles, strict=True):
        axes.plot(losses, label=label, color=colour, **style)
    axes.set_yscale("log")
    axes.set(xlabel="points of the curve", ylabel="loss")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
