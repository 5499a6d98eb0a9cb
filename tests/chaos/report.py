"""A campaign's figures: as JSON for programs, as Markdown for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos.bulkhead import POOL, REDIS_CONNECTIONS
from tests.chaos.campaign import Outcome
from tests.chaos.observation import Kind
from tests.chaos.recovery import Failover, failovers, quantiles, recoveries
from tests.chaos.stage import BOUND_SECONDS, LOAD_CONNECTIONS


def figures(outcome: Outcome, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, in plain JSON."""
    tally, checker, staleness = outcome.tally, outcome.checker, outcome.staleness
    return {
        **about,
        "seconds": round(outcome.seconds, 1),
        "checked_operations": outcome.checked,
        "checked_per_second": round(outcome.checked / outcome.seconds, 1),
        "checked_by_kind": {kind.name.lower(): checker.checked[kind] for kind in Kind},
        "violations": [str(violation) for violation in outcome.violations],
        "requests": dict(tally.operations.most_common()),
        "cancelled": dict(tally.cancelled.most_common()),
        "faults": dict(Counter(episode.fault.kind for episode in outcome.episodes).most_common()),
        "fault_count": len(outcome.episodes),
        "single_reads_by_outcome": dict(tally.outcomes.most_common()),
        "answers_marked_stale_if_error": checker.stale_if_error,
        "writes_settled": dict(tally.settled),
        "errors": dict(tally.errors.most_common()),
        "refused_connections": tally.refused_connections,
        "batch_items_with_a_problem": tally.batch_problems,
        "errors_by_active_fault": {
            fault: dict(kinds.most_common())
            for fault, kinds in sorted(_by_kind(tally.errors_by_fault).items(), key=lambda item: -sum(item[1].values()))
        },
        "recovery_ms": {
            kind: {
                "faults": found.count,
                "alone": found.alone,
                "first_hit": quantiles(found.first_hit),
                "error_free": quantiles(found.error_free),
            }
            for kind, found in recoveries(outcome).items()
        },
        "failovers": _failovers(failovers(outcome)),
        "plain_sql": {
            "changes": outcome.written.changes,
            "truncates": outcome.written.truncates,
            "bound_ms": BOUND_SECONDS * 1000,
            "until_shown_ms": {_calm(calm): quantiles(values) for calm, values in staleness.shown.items()},
            "old_answers_after_commit_ms": {_calm(calm): quantiles(values) for calm, values in staleness.old.items()},
        },
        "hit_latency_ms": _of_histogram(tally.latencies),
        "longest_seconds": {name: asdict(longest) for name, longest in tally.longest.items()},
        "longest_seconds_of_replicas_that_ran": {n: asdict(longest) for n, longest in tally.longest_thawed.items()},
        "connections": {
            **asdict(outcome.bulkhead.most),
            "configured": {"loading": LOAD_CONNECTIONS, "to_postgres": POOL, "to_redis": REDIS_CONNECTIONS},
        },
        "own_lateness_ms": {
            "campaign": quantiles([each.late_ms / 1000 for each in tally.bins.values()]),
            "links_max": round(outcome.bulkhead.most.links_late_seconds * 1000, 1),
        },
        "left_over": outcome.leaked,
        "time_line": [
            {"at": number / 2, **asdict(tally.bins[number])} for number in range(max(tally.bins, default=-1) + 1)
        ],
        "episodes": [
            {"kind": episode.fault.kind, "target": episode.fault.target, "began": round(episode.began, 2),
             "ended": episode.ended and round(episode.ended, 2), "healed": episode.healed and round(episode.healed, 2)}
            for episode in outcome.episodes
        ],
    }  # fmt: skip


def write(path: Path, found: Mapping[str, Any]) -> None:
    """``path`` is the JSON's; the Markdown lies beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1))
    path.with_suffix(".md").write_text(markdown(found, path.stem))


def markdown(found: Mapping[str, Any], stem: str) -> str:
    sql, connections = found["plain_sql"], found["connections"]
    parts = [
        f"# {found['checked_operations']:,} checked operations under {found['fault_count']} faults:"
        f" {len(found['violations'])} violations",
        f"{found['leg']}, seed {found['seed']}, {found['seconds']:.0f} s,"
        f" {found['checked_per_second']:,.0f} checked operations/s on {found['machine']};"
        f" replicas' clocks: {found['clocks']}.",
        *[f"```\n{violation}\n```" for violation in found["violations"][:20]],
        f"![time line]({stem}-time-line.png)",
        f"![staleness under plain SQL]({stem}-staleness.png)",
        "## Operations",
        _table(("checked", "number"), found["checked_by_kind"].items()),
        _table(("requests", "number", "of these cancelled by the client"),
               ((name, count, found["cancelled"].get(name, 0)) for name, count in found["requests"].items())),
        "## Answers",
        _table(("single reads", "number"), found["single_reads_by_outcome"].items()),
        _table(("writes", "number"), found["writes_settled"].items()),
        f"Hits took (ms): {_line(found['hit_latency_ms'])}.",
        "## Errors",
        _table(("error", "number"), found["errors"].items()),
        _table(("while this held", "errors"), ((k, ", ".join(f"{n} {e}" for e, n in kinds.items()))
                                               for k, kinds in found["errors_by_active_fault"].items())),
        "## Faults, and the time after their end",
        "From the moment at which it is healed (a server accepts connections again, a link carries), where no other"
        " fault held around that time. `first hit`: on every replica concerned; `error-free`: the last error before the"
        " next fault, within 6 s. ms.",
        _table(("fault", "number", "alone", "first hit", "error-free"),
               ((kind, row["faults"], row["alone"], _short(row["first_hit"]), _short(row["error_free"]))
                for kind, row in found["recovery_ms"].items())),
        *_failover_lines(found["failovers"]),
        "## Plain SQL",
        f"{sql['changes']} changes, {sql['truncates']} TRUNCATEs; B is {sql['bound_ms']:.0f} ms. Milliseconds after the"
        " commit.",
        _table(("", "until a replica showed it", "until the last old answer was asked for"),
               ((calm, _line(sql["until_shown_ms"][calm]), _line(sql["old_answers_after_commit_ms"][calm]))
                for calm in ("calm", "faults"))),
        "## Limits",
        _table(("per replica, the most at any time", "0", "1", "2", "configured"), (
            ("connections open to PostgreSQL", *connections["open_to_postgres"],
             connections["configured"]["to_postgres"]),
            ("connections open to Redis", *connections["open_to_redis"], connections["configured"]["to_redis"]),
            ("loads in flight (the replica's metric)", *connections["in_flight"],
             connections["configured"]["loading"]),
            ("busy backends (PostgreSQL, sampled; orphans of cut links too)", *connections["busy"], ""),
            ("loading backends (the same)", *connections["loading"], ""),
        )),
        _table(("longest", "seconds", "at", "replica"),
               ((f"{name}{suffix}", round(row["seconds"], 3), round(row["at"], 1), row["replica"])
                for suffix, key in (("", "longest_seconds"),
                                    (", replica ran all the time", "longest_seconds_of_replicas_that_ran"))
                for name, row in found[key].items())),
        f"The campaign's own loop was late by (ms, the most of each half second):"
        f" {_line(found['own_lateness_ms']['campaign'])}; that of the links by at most"
        f" {found['own_lateness_ms']['links_max']}.",
        "## Left over",
        _table(("replica", *next(iter(found["left_over"].values()), {})),
               ((name, *counts.values()) for name, counts in found["left_over"].items())),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _failovers(found: Sequence[Failover]) -> dict[str, Any]:
    """By kind, all of them and those that were alone."""
    rows = {}
    for kind in sorted({each.kind for each in found}):
        for name, some in (
            (kind, [each for each in found if each.kind == kind]),
            (f"{kind}, alone", [each for each in found if each.kind == kind and each.alone]),
        ):
            rows[name] = {
                "number": len(some),
                "any_replica": quantiles([each.seconds for each in some if each.seconds is not None]),
                "each_replica": quantiles([each.seconds_of_all for each in some if each.seconds_of_all is not None]),
            }
    return rows


def _failover_lines(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    return [
        "## Failovers of Redis",
        "From the begin (`kill -9` of the primary, or the command to Sentinel) until hits were answered again: by any"
        " replica, and by each of them. Sentinel waits 0.5 s before it believes that a primary is gone; B is 1 s."
        " `alone`: no other fault held meanwhile. Where others did, each of the replicas may have had no Redis, no"
        " PostgreSQL, or no life, for reasons of its own. Median, and worst; ms.",
        _table(("failover", "number", "hits by any replica", "hits by each replica"),
               ((kind, row["number"], _short(row["any_replica"]), _short(row["each_replica"]))
                for kind, row in found.items())),
    ]  # fmt: skip


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [list(head)]
    lines += [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _short(values: Mapping[str, Any]) -> str:
    return f"{values['p50']} (max {values['max']})" if values.get("n") else "–"


def _calm(calm: bool) -> str:  # noqa: FBT001 (a key, not an option)
    return "calm" if calm else "faults"


def _by_kind(errors: Mapping[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Without targets: `cut link redis-1` and `cut link redis-2` are one kind."""
    merged: dict[str, Counter[str]] = {}
    for name, kinds in errors.items():
        bare = name.rpartition(" ")[0] if name[-1:].isdigit() else name
        merged.setdefault(bare, Counter()).update(kinds)
    return merged


def _of_histogram(counts: list[int]) -> dict[str, Any]:
    total, passed = sum(counts), 0
    found: dict[str, Any] = {"n": total}
    points = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    for ms, count in enumerate(counts):
        passed += count
        for name, q in points.items():
            if name not in found and total and passed >= q * total:
                found[name] = ms
    found["max"] = max((ms for ms, count in enumerate(counts) if count), default=0)
    return found
