"""Pictures made of letters: a histogram with rows that grow with the latency, and a line of recent values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from service.bench.histogram import Histogram

PERCENTS = (50.0, 90.0, 99.0, 99.9)
_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"


class Row(NamedTuple):
    """Latencies up to ``upper_ms``, above the row before. ``marks`` are the percentiles that fall into it."""

    upper_ms: float
    requests: int
    marks: tuple[str, ...]


def rows_of(histogram: Histogram) -> list[Row]:
    """From the shortest latency to the longest, with the empty rows between them. No rows for no latencies."""
    buckets = list(histogram.buckets())
    if not buckets:
        return []
    edges = [step * 10**power for power in range(9) for step in _STEPS]
    counts = [0] * len(edges)
    for upper_us, count in buckets:
        counts[_row_of(min(upper_us, histogram.longest_us), edges)] += count
    marks: dict[int, list[str]] = {}
    for percent in PERCENTS:
        marks.setdefault(_row_of(histogram.percentile_us(percent), edges), []).append(f"p{percent:g}")
    used = [place for place, count in enumerate(counts) if count]
    span = range(used[0], used[-1] + 1)
    return [Row(edges[place] / 1000, counts[place], tuple(marks.get(place, ()))) for place in span]


def _row_of(us: int, edges: Sequence[float]) -> int:
    return next((place for place, edge in enumerate(edges) if us <= edge), len(edges) - 1)


def bar(value: float, most: float, *, width: int) -> str:
    """As long as its share of ``most``, in eighths of a letter; never nothing for something."""
    eighths = max(round(value / most * width * 8), 1) if value > 0 else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def sparkline(values: Sequence[float]) -> str:
    """One letter for each, from 0 to the highest."""
    most = max(values, default=0.0)
    if most <= 0:
        return _HEIGHTS[0] * len(values)
    return "".join(_HEIGHTS[min(int(value / most * len(_HEIGHTS)), len(_HEIGHTS) - 1)] for value in values)


def milliseconds(us: float) -> str:
    """Three digits are enough."""
    ms = us / 1000
    return f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:,.0f}"


def share(ratio: float | None) -> str:
    """A hit ratio; never rounded up to all."""
    if ratio is None:
        return "–"
    percent = ratio * 100
    return f"{min(percent, 99.99) if ratio < 1 else percent:.2f} %"
