"""One picture: stale reads per million, on a logarithmic scale, with zero shown as what it may still be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

_COLOURS = {"calm": "#5b8db8", "with failures": "#c8553d"}

Bar = tuple[float, float, float]
"""Value, and the ends of its 95 % interval."""


def draw(file: Path, bars: Mapping[str, Mapping[str, Bar]]) -> None:
    """``bars`` by strategy and leg."""
    with mpl.rc_context({"font.size": 10, "svg.fonttype": "none"}):
        figure = Figure(figsize=(10, 5.2), layout="constrained")
        axes = figure.subplots()
        axes.set_yscale("log")
        positive = [end for legs in bars.values() for bar in legs.values() for end in bar if end > 0]
        floor = 10.0**-1 if not positive else min(0.5, min(positive) / 2)
        width = 0.38
        for number, legs in enumerate(bars.values()):
            for place, (leg, (value, low, high)) in enumerate(legs.items()):
                x = number + (place - 0.5) * width
                if value > 0:
                    axes.bar(x, value, width * 0.92, color=_COLOURS[leg])
                    axes.errorbar(x, value, [[value - low], [high - value]], color="black", capsize=3, linewidth=1)
                    axes.annotate(f"{value:,.0f}" if value >= 10 else f"{value:.2g}", (x, high), ha="center",
                                  xytext=(0, 4), textcoords="offset points", fontsize=8)  # fmt: skip
                else:
                    axes.bar(x, high, width * 0.92, fill=False, edgecolor=_COLOURS[leg], hatch="///", linestyle="--")
                    axes.annotate(f"0\n(< {high:.2g}\nat 95 %)", (x, high), ha="center", xytext=(0, 4),
                                  textcoords="offset points", fontsize=8)  # fmt: skip
        axes.set_ylim(floor, 3_000_000)
        axes.set_xticks(range(len(bars)), list(bars))
        axes.set_ylabel("stale reads per million")
        axes.set_title("The same work, cached in five ways: stale reads per million (log scale)")
        handles = [axes.bar(0, 0, color=colour, label=leg) for leg, colour in _COLOURS.items()]
        axes.legend(handles=handles, loc="upper right")
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
        figure.savefig(file, dpi=150)
