"""Pictures of a campaign, on a transparent ground and in colours that can be read on white and on black."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

_GREY = "#808890"
_BLUE, _GREEN, _RED, _ORANGE = "#3b82d6", "#2fa36b", "#e0524d", "#e08a2c"
STYLE = {
    "text.color": _GREY, "axes.labelcolor": _GREY, "axes.edgecolor": _GREY, "xtick.color": _GREY, "ytick.color": _GREY,
    "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "none", "axes.facecolor": "none",
    "savefig.transparent": True, "font.size": 10,
}  # fmt: skip
_LINES = 400
"""A longer time line is summed up: each point stands for as many half seconds as it takes."""


def draw(found: Mapping[str, Any], outcome: Any, path: Path) -> None:
    """Two PNGs beside ``path``."""
    with mpl.rc_context(STYLE):
        _time_line(found, path.with_name(f"{path.stem}-time-line.png"))
        _staleness(outcome.staleness, found["plain_sql"]["bound_ms"], path.with_name(f"{path.stem}-staleness.png"))


def _time_line(found: Mapping[str, Any], path: Path) -> None:
    step = max(1, len(found["time_line"]) // _LINES)
    groups = [found["time_line"][at : at + step] for at in range(0, len(found["time_line"]) - step + 1, step)]
    seconds = [group[0]["at"] for group in groups]

    def rate(name: str) -> list[float]:
        return [sum(point[name] for point in group) / (0.5 * step) for group in groups]

    figure, (top, middle, bottom, faults) = plt.subplots(
        4, 1, figsize=(12, 10), sharex=True, height_ratios=[2, 1, 1, 3], layout="constrained"
    )
    top.plot(seconds, rate("reads"), color=_BLUE, linewidth=1)
    top.set_ylabel("reads/s answered")
    top.set_ylim(bottom=0)
    counts = [(sum(point["hits"] for point in group), sum(point["singles"] for point in group)) for group in groups]
    middle.plot(seconds, [hits / singles if singles else 0 for hits, singles in counts], color=_GREEN, linewidth=1)
    middle.set_ylabel("hit ratio\n(single reads)")
    middle.set_ylim(0, 1)
    bottom.plot(seconds, rate("errors"), color=_RED, linewidth=1)
    bottom.set_ylabel("errors/s")
    bottom.set_ylim(bottom=0)
    kinds = sorted({episode["kind"] for episode in found["episodes"]}, reverse=True)
    for episode in found["episodes"]:
        ends = episode["healed"] or found["seconds"]
        width = max(ends - episode["began"], found["seconds"] / 800)
        faults.barh(kinds.index(episode["kind"]), width, left=episode["began"], height=0.7, color=_ORANGE)
    faults.set_yticks(range(len(kinds)), kinds, fontsize=7)
    faults.set_xlabel("seconds since the start")
    figure.suptitle(
        f"{found['checked_operations']:,} checked operations, {found['fault_count']} faults,"
        f" {len(found['violations'])} violations"
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _staleness(staleness: Any, bound_ms: float, path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), sharey=True, layout="constrained")
    titles = ("until a replica first showed it (and was asked)", "until the last old answer was asked for")
    for axis, values, title in zip(axes, (staleness.shown, staleness.old), titles, strict=True):
        for calm, colour in ((True, _BLUE), (False, _ORANGE)):
            ordered = sorted(values[calm])
            if ordered:
                shares = [(number + 1) / len(ordered) for number in range(len(ordered))]
                label = f"{'calm' if calm else 'under faults'}, n={len(ordered)}"
                axis.step([max(s * 1000, 0.5) for s in ordered], shares, where="post", color=colour, label=label)
        if values is staleness.old:  # what B bounds; nobody can be shown what nobody asks for
            axis.axvline(bound_ms, color=_RED, linestyle="--", linewidth=1, label="B")
        axis.set_xscale("log")
        axis.set_xlabel("ms after the commit of plain SQL (logarithmic; below 0.5 drawn at 0.5)")
        axis.set_title(title)
        axis.legend(frameon=False)
    axes[0].set_ylabel("share of the changes")
    axes[0].set_ylim(0, 1.01)
    figure.savefig(path, dpi=110)
    plt.close(figure)
