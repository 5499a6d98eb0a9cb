"""What a run found, for people (Markdown), for programs (JSON), and at a glance (PNG)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.naive.figures import Figures
from tests.naive.link import PAUSES_MS
from tests.naive.picture import draw
from tests.naive.plan import FAULTS, Plan

LEGS = {False: "calm", True: "with failures"}
_HEADER = (
    "strategy", "leg", "reads", "stale reads", "stale per million (95 %)", "behind a write / a read / plain SQL",
    "longest staleness", "hit ratio", "reads/s", "failed operations",
)  # fmt: skip


class Line(NamedTuple):
    strategy: str
    says: str
    by_leg: Mapping[str, Figures]


def write_report(folder: Path, plan: Plan, lines: Sequence[Line], *, command: str) -> None:
    """`naive.md`, `naive.json`, `naive.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    surroundings = {
        "command": command, "python": platform.python_version(), "machine": platform.platform(),
        "cores": os.cpu_count(),
    }  # fmt: skip
    results = {
        line.strategy: {"what it does": line.says} | {leg: found.to_json() for leg, found in line.by_leg.items()}
        for line in lines
    }
    document = {"surroundings": surroundings, "plan": plan.to_json(), "results": results}
    (folder / "naive.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "naive.md").write_text(markdown(plan, lines, command=command))
    bars = {line.strategy: {leg: _bar(found) for leg, found in line.by_leg.items()} for line in lines}
    draw(folder / "naive.png", bars)


def _bar(found: Figures) -> tuple[float, float, float]:
    return found.per_million, *found.per_million_interval


def markdown(plan: Plan, lines: Sequence[Line], *, command: str) -> str:
    rows = [_row(line.strategy, leg, found) for line in lines for leg, found in line.by_leg.items()]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (_HEADER, ("---",) * len(_HEADER), *rows))
    strategies = "\n".join(f"- **{line.strategy}**: {line.says}." for line in lines)
    return f"""# The same work, cached in five ways

`{command}`: {plan.operations:,} operations in each leg, seed {plan.seed}.

![stale reads per million](naive.png)

{table}

A read is stale if it returns a version lower than one that had been acknowledged to a writer, or returned to a reader,
before it began; or, for plain SQL and for writers that died before they could acknowledge, lower than what had been
committed more than {plan.bound_seconds:g} s before. Intervals are Wilson's; where nothing was found, the rule of three.
Failed operations got an error instead of an answer; they are not counted as reads.

## The strategies

{strategies}

All share one PostgreSQL schema (triggers included), a TTL of {plan.ttl_seconds:g} s, {plan.connections} connections to
PostgreSQL in each replica, and a timeout of 0.2 s towards Redis; a read that Redis does not answer goes to PostgreSQL.
What a write of a naive strategy has to say to Redis is tried three times before the write is acknowledged regardless.

## The work

{plan.replicas} replicas with connections of their own, in one process, without HTTP; {plan.workers} tasks, each with
one operation at a time; {plan.keys} keys by Zipf's law (s = {plan.zipf:g}); {plan.reads:.0%} reads, {plan.writes:.0%}
writes, {1 - plan.reads - plan.writes:.0%} writes by plain SQL past the application. Between replicas and Redis all that
is sent takes one of {", ".join(map(str, PAUSES_MS))} ms, drawn anew each time and each way. PostgreSQL and Valkey are
real, fresh for each leg, and without fsync.

With failures: about every {plan.fault_every:,} operations one of {", ".join(FAULTS)} (weights
{", ".join(map(str, FAULTS.values()))}), for 50 to 500 ms: the link of one replica is cut, its replies come that much
later, or are dropped; Valkey is killed (SIGKILL) and started again; or it is left no memory, so that everything is
evicted and nothing accepted. And {plan.dies:.1%} of the writers die between their commit and the cache. Which fault
comes at which operation is the same for all.
"""


def _row(strategy: str, leg: str, found: Figures) -> tuple[str, ...]:
    low, high = found.per_million_interval
    rate = f"{_short(found.per_million)} ({_short(low)} – {_short(high)})" if found.stale_reads else f"0 (< {high:.3g})"
    longest = f"{found.longest_seconds:.3f} s" if found.stale_reads else "–"
    kinds = " / ".join(f"{found.stale[kind]:,}" for kind in ("write", "read", "sql"))
    hits = f"{found.hits / found.reads:.1%}" if found.reads else "–"
    speed = f"{found.reads / found.seconds:,.0f}" if found.seconds else "–"
    failed = f"{found.failures.total():,}"
    return strategy, leg, f"{found.reads:,}", f"{found.stale_reads:,}", rate, kinds, longest, hits, speed, failed


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
