"""What a campaign found: JSON for programs, a short Markdown for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from tests.bench.ratios import Spread
from tests.steer.goals import GOALS
from tests.steer.plan import Plan
from tests.steer.windows import Leg

_HEADER = (
    "beside hits", "windows", "rows or keys", "a second", "p99 of hits, ms: calm", "busy", "busy ÷ calm",
    "calm ÷ calm", "slowest hit, ms: calm", "busy", "in Valkey", "longest command of Valkey, ms",
)  # fmt: skip

_FIRST = (
    "What times the hits, and Valkey, go ahead of all others there (SCHED_FIFO): they would have machines of their\n"
    "own, and wait for nobody's turn."
)
_NOT_FIRST = (
    "Nobody goes ahead there: whatever is slow may have waited for its turn only. Started by root, what times the\n"
    "hits and Valkey do not."
)


@dataclass(frozen=True, slots=True)
class Report:
    """``misses``: what was answered that was no hit, and how often. ``cores``: who runs where."""

    plan: Plan
    legs: Mapping[str, Leg]
    misses: Mapping[str, int]
    _: KW_ONLY
    is_valkey_first: bool
    cores: str
    command: str


def write_report(folder: Path, report: Report) -> None:
    """`steering.json` and `steering.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "surroundings": {
            "command": report.command, "python": platform.python_version(), "machine": platform.platform(),
            "cores": os.cpu_count(),
        },
        "plan": report.plan.to_json(),
        "valkey and the clock go first": report.is_valkey_first,
        "cores": report.cores,
        "requests that were no hits": dict(report.misses),
        "legs": {name: _to_json(leg) for name, leg in report.legs.items()},
    }  # fmt: skip
    (folder / "steering.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "steering.md").write_text(markdown(report))


def _to_json(leg: Leg) -> dict[str, Any]:
    return {
        "title": leg.title,
        "windows": [
            {
                "items": pair.busy.items,
                "seconds": round(pair.busy.ends - pair.busy.begins, 3),
                "slowest_command": pair.busy.slowest._asdict(),
                "calm": figure.calm._asdict(),
                "busy": figure.busy._asdict(),
            }
            for pair, figure in zip(leg.pairs, leg.figures, strict=True)
        ],
    }


def markdown(report: Report) -> str:
    plan, legs = report.plan, report.legs
    rows = "\n".join(f"| {' | '.join(_row(leg))} |" for leg in legs.values())
    goals = "\n".join(f"- {line}" for line in (goal.line(legs) for goal in GOALS) if line)
    return f"""# Hits while the cache is steered

`{report.command}`: {plan.rows:,} rows of 250 B, {plan.hits_per_second:,.0f} hits per second in an open loop over
{plan.hot_keys:,} other keys, one replica; {os.cpu_count()} cores: {report.cores}.
{_FIRST if report.is_valkey_first else _NOT_FIRST}

{goals}

| {" | ".join(_HEADER)} |
|{" --- |" * len(_HEADER)}
{rows}

Calm and busy windows take turns; behind each purge it is calm for as long as it took. A ratio is made inside each pair
of neighbours, where the noise of the machine hits both alike; the median of all pairs is told, with the lowest and the
highest. `calm ÷ calm` is the same ratio of each calm window to the one before it: what is found where nothing is
steered. Latencies are seen from a process of its own and run from when a request was due. How long a command held
Valkey up is from its own slow log. `in Valkey` is what the slowest hit
has waited for it, by its `Server-Timing`. {_no_hits(report.misses)}
"""


def _no_hits(misses: Mapping[str, int]) -> str:
    if not misses:
        return "Every request was a hit."
    return "No hits were: " + ", ".join(f"{count:,} × `{what}`" for what, count in misses.items()) + "."


def _row(leg: Leg) -> tuple[str, ...]:
    calm, busy = [figure.calm for figure in leg.figures], [figure.busy for figure in leg.figures]
    return (
        leg.title,
        f"{len(leg.pairs)}",
        f"{leg.items:,}",
        f"{leg.per_second.median:,.0f}",
        _ms(leg.of(timed.p99 for timed in calm)),
        _ms(leg.of(timed.p99 for timed in busy)),
        _ms(leg.p99_ratio),
        "–" if leg.noise is None else _ms(leg.noise),
        _ms(leg.of(timed.longest for timed in calm)),
        _ms(leg.of(timed.longest for timed in busy)),
        _ms(leg.of(timed.longest_in_valkey for timed in busy)),
        str(leg.slowest),
    )


def _ms(found: Spread) -> str:
    return f"{found.median:.2f} ({found.low:.2f} – {found.high:.2f})"
