"""Pictures of a run, on a transparent ground and in colours that can be read on white and on black."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.contestants import ASIDE, CEILING, PLAIN, PLAIN_NO_RESET, WEBDIS
from tests.bench.figures import Found
from tests.bench.ratios import ratios, spread

_GREY = "#808890"
_STYLE = {
    "text.color": _GREY, "axes.labelcolor": _GREY, "axes.edgecolor": _GREY, "xtick.color": _GREY, "ytick.color": _GREY,
    "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "none", "axes.facecolor": "none",
    "savefig.transparent": True, "legend.frameon": False, "legend.labelcolor": _GREY, "font.size": 10,
}  # fmt: skip
_COLOURS = {ASIDE: "#2fa36b", CEILING: "#9aa2aa", WEBDIS: "#3b82d6", PLAIN: "#e0524d", PLAIN_NO_RESET: "#b86a68"}
_CACHES = ("#e08a2c", "#b57edc", "#d4a017", "#c7639b")
_BY_CONNECTIONS = {"warm-c1": 1, "warm-c8": 8, "warm": 64, "warm-c256": 256}

Results = Mapping[str, Found]


def draw(folder: Path, found: Results) -> dict[str, str]:
    """File names by what they show, of those that there is something to show for."""
    pictures: dict[str, tuple[Callable[[Figure, Results], bool], tuple[float, float]]] = {
        "throughput": (_throughput, (9, 4.2)),
        "connections": (_connections, (9, 4.8)),
        "without": (_without, (9, 4.6)),
        "workers": (_workers, (9, 3.4)),
        "open-loop": (_open_loop, (9, 5)),
        "expiry": (_expiry, (9, 3.6)),
        "visibility": (_visibility, (9, 3.6)),
        "eviction": (_eviction, (9, 3.6)),
    }
    drawn = {}
    with mpl.rc_context(_STYLE):
        for name, (paint, size) in pictures.items():
            figure = Figure(figsize=size, layout="constrained")
            if paint(figure, found):
                drawn[name] = f"{name}.png"
                figure.savefig(folder / drawn[name], dpi=130)
    return drawn


def colour(name: str, among: Sequence[str]) -> str:
    """The same in every picture, as long as the same caches take part."""
    caches = sorted(each for each in among if each not in _COLOURS)
    return _COLOURS[name] if name in _COLOURS else _CACHES[caches.index(name) % len(_CACHES)]


def _throughput(figure: Figure, found: Results) -> bool:
    """Shares of the ceiling, made inside each round, with the lowest and the highest."""
    axes, warm = figure.subplots(), found.get("warm", Found())
    shares = {name: spread(ratios(warm.rates(name), warm.rates(CEILING))) for name in warm.loads}
    known = sorted(((name, share) for name, share in shares.items() if share), key=lambda item: item[1].median)
    # One round in which the machine stood still must not press all others together: its end is in the table.
    limit = 1.5 * max((share.median for _, share in known), default=1)
    for place, (name, share) in enumerate(known):
        axes.barh(place, share.median, color=colour(name, [*warm.loads]), height=0.7)
        ends = [[share.median - share.low], [min(share.high, limit * 0.77) - share.median]]
        axes.errorbar(share.median, place, xerr=ends, color=_GREY, capsize=3, linewidth=1)
        rate = warm.rate(name)
        axes.annotate(
            f"{share.median:.0%}   {rate.median:,.0f} req/s" if rate else "", (min(share.high, limit * 0.78), place),
            va="center", xytext=(7, 0), textcoords="offset points", fontsize=9,
        )  # fmt: skip
    axes.set_yticks(range(len(known)), [name for name, _ in known])
    axes.set_xlim(0, limit)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("hits per second, as a share of what uvicorn alone can do")
    return bool(known)


def _connections(figure: Figure, found: Results) -> bool:
    axes = figure.subplots()
    cells = [(name, count) for name, count in _BY_CONNECTIONS.items() if name in found]
    names = list(dict.fromkeys(name for cell, _ in cells for name in found[cell].loads if name != PLAIN_NO_RESET))
    for name in names:
        points = [(count, rate) for cell, count in cells if (rate := found[cell].rate(name))]
        counts, rates = [count for count, _ in points], [rate.median for _, rate in points]
        axes.plot(counts, rates, "o-", color=colour(name, names), linewidth=2 if name == ASIDE else 1.2, markersize=4)
    _label_ends(axes, names)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks([count for _, count in cells], [str(count) for _, count in cells])
    axes.set_xlim(0.9, 256 * 4)
    axes.set_xlabel("connections")
    axes.set_ylabel("hits per second (logarithmic)")
    axes.yaxis.set_major_formatter(_thousands)
    return len(cells) > 1


def _label_ends(axes: Axes, names: Sequence[str]) -> None:
    """Each line's name at its end, moved apart where they would touch: in a logarithmic scale by a factor."""
    ends = sorted(
        (float(line.get_ydata()[-1]), float(line.get_xdata()[-1]), name)  # type: ignore[index]
        for line, name in zip(axes.lines, names, strict=True)
    )
    lowest = 0.0
    for y, x, name in ends:
        lowest = max(y, lowest * 1.16)
        axes.annotate(name, (x, lowest), xytext=(8, 0), textcoords="offset points", va="center", fontsize=9,
                      color=colour(name, names))  # fmt: skip


def _without(figure: Figure, found: Results) -> bool:
    """Misses and the outage, side by side for everybody who has a database behind it."""
    cells = {"cold": "each key for the first time", "outage": "Valkey killed"}
    present = [name for name in cells if name in found and found[name].loads]
    names = list(found[present[0]].loads) if present else []
    axes, width = figure.subplots(), 0.8 / max(1, len(names))
    for number, name in enumerate(names):
        for place, cell in enumerate(present):
            rate = found[cell].rate(name)
            if rate is None:
                continue
            x = place + (number - (len(names) - 1) / 2) * width
            axes.bar(x, rate.median, width * 0.9, color=colour(name, names), label=name if place == 0 else None)
            axes.errorbar(x, rate.median, [[rate.median - rate.low], [rate.high - rate.median]], color=_GREY, capsize=2,
                          linewidth=1)  # fmt: skip
            axes.annotate(f"{rate.median:,.0f}", (x, rate.high), ha="center", xytext=(0, 4),
                          textcoords="offset points", fontsize=8)  # fmt: skip
    axes.set_xticks(range(len(present)), [cells[name] for name in present])
    axes.set_ylabel("good answers per second")
    axes.yaxis.set_major_formatter(_thousands)
    if present:
        axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return bool(present)


def _workers(figure: Figure, found: Results) -> bool:
    """What all processes do in a second, and what they do in a second of their own time."""
    loads = found.get("workers", Found()).loads
    by_clock, by_cpu = figure.subplots(1, 2, sharey=True)
    for axes, of, says in (
        (by_clock, lambda load: load.per_second, "hits per second"),
        (by_cpu, lambda load: 1e6 / load.cpu_us if load.cpu_us else None, "hits per second of their own time"),
    ):
        for place, name in enumerate(reversed(loads)):
            values = spread(of(load) for load in loads[name])
            if values is not None:
                ends = [[values.median - values.low], [values.high - values.median]]
                axes.barh(place, values.median, color=_COLOURS[ASIDE], height=0.7)
                axes.errorbar(values.median, place, xerr=ends, color=_GREY, capsize=3, linewidth=1)
        axes.set_yticks(range(len(loads)), list(reversed(loads)))
        axes.set_xlabel(says)
        axes.xaxis.set_major_formatter(_thousands)
    return bool(loads)


def _open_loop(figure: Figure, found: Results) -> bool:
    """Everybody at the rate that all can bear, and who can bear more at the higher ones."""
    points = found.get("open-loop", Found()).facts.get("points", [])
    if not points:
        return False
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1.6])
    names = list(dict.fromkeys(point["target"] for point in points))
    lowest = min(point["rate"] for point in points)
    for place, name in enumerate(names):
        low, high = (_latency(points, name, lowest, percentile) for percentile in ("p50", "p99"))
        left.plot([place, place], [low, high], "-", color=colour(name, names), linewidth=3, alpha=0.5)
        left.plot([place, place], [low, high], "o", color=colour(name, names), markersize=5)
        rates = sorted({point["rate"] for point in points if point["target"] == name})
        if len(rates) > 1:
            for percentile, style in (("p50", "o--"), ("p99", "o-")):
                latencies = [_latency(points, name, rate, percentile) for rate in rates]
                label = name if percentile == "p99" else None
                right.plot(rates, latencies, style, color=colour(name, names), markersize=4, linewidth=1.4, label=label)
    left.set_xticks(range(len(names)), names, rotation=55, ha="right", rotation_mode="anchor")
    left.set_title(f"p50 and p99 at {lowest:,.0f} requests per second", fontsize=10)
    left.set_yscale("log")
    left.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    left.set_ylabel("ms since a request was due (logarithmic)")
    right.set_title("p99 (full lines) and p50 (dashed)", fontsize=10)
    right.set_xlabel("requests per second, whether or not the server is ready")
    right.set_xlim(left=0)
    right.xaxis.set_major_formatter(_thousands)
    if right.get_legend_handles_labels()[0]:
        right.legend(loc="upper left")
    return True


def _thousands(value: float, _: int) -> str:
    return f"{value:,.0f}"


def _latency(points: Sequence[Mapping[str, Any]], name: str, rate: float, percentile: str) -> float:
    """The median over the rounds, in ms."""
    return median(p["latency_ms"][percentile] for p in points if p["target"] == name and p["rate"] == rate)


def _expiry(figure: Figure, found: Results) -> bool:
    facts = found.get("expiry", Found()).facts
    if not facts:
        return False
    axes = figure.subplots()
    seconds, p99 = zip(*facts["time_line"], strict=True)
    axes.plot(seconds, p99, color=_COLOURS[ASIDE], linewidth=1, label="p99 of each 50 ms")
    for number, at in enumerate(facts["renewals"]):
        window = facts["window_seconds"]
        axes.axvspan(at - window, at + window, color=_COLOURS[WEBDIS], alpha=0.15, linewidth=0,
                     label="around" if number == 0 else None)  # fmt: skip
        axes.axvline(at, color=_COLOURS[WEBDIS], linewidth=1, label="the entry is replaced" if number == 0 else None)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("ms")
    axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    return True


def _visibility(figure: Figure, found: Results) -> bool:
    facts = found.get("visibility", Found()).facts
    if not facts:
        return False
    axes, delays = figure.subplots(), facts["delays_ms"]
    axes.step(delays, [(place + 1) / len(delays) for place in range(len(delays))], where="post", color=_COLOURS[ASIDE])
    axes.axvline(150, color=_GREY, linestyle="--", linewidth=1)
    axes.annotate("150 ms", (150, 0.05), xytext=(5, 0), textcoords="offset points", fontsize=9)
    axes.set_xlim(left=0, right=max(170.0, delays[-1] * 1.05))
    axes.set_ylim(0, 1.01)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("ms from the commit to the first answer that has the change")
    axes.set_ylabel("share of the changes")
    return True


def _eviction(figure: Figure, found: Results) -> bool:
    """The hit ratio of each policy as the reads go on, the first round of each; a line for each sweep."""
    facts = found.get("eviction", Found()).facts
    if not facts:
        return False
    axes, colours = figure.subplots(), {"allkeys-lfu": _COLOURS[ASIDE], "allkeys-lru": _COLOURS[PLAIN]}
    for policy, line in sorted(facts["time_lines"].items()):
        reads, ratios_then = zip(*line, strict=True)
        axes.plot(reads, ratios_then, color=colours[policy], linewidth=1.4, label=policy)
    for number in range(facts["sweeps"]):
        axes.axvline(number * facts["reads"], color=_GREY, linestyle=":", linewidth=1,
                     label=f"{facts['holds']:,} other keys are swept" if number == 0 else None)  # fmt: skip
    axes.axhline(facts["best"], color=_GREY, linestyle="--", linewidth=1, label="just the most popular held")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(_thousands)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("reads by Zipf's law")
    axes.set_ylabel("hit ratio")
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return True
