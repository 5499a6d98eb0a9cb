"""What was found, as JSON for programs, as Markdown for people, and the time line as a picture."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from tests.rollout import picture
from tests.rollout.load import Verdict
from tests.rollout.release import PREVIOUS_COMMIT

_SHOWN = 20


def figures(results: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, in plain JSON; ``wrong`` is what must not be, in words."""
    restarted, upgraded, started, made = (results[name] for name in ("restarts", "upgrade", "started", "made"))
    return {
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load_average": round(os.getloadavg()[2], 1),
        "previous": PREVIOUS_COMMIT,
        "restarts": {
            "restarts": len(restarted.ready_seconds), **_of(restarted.verdict), "door": restarted.door,
            "ready": _spread(restarted.ready_seconds), "ready_cpu": _spread(restarted.cpu_seconds),
        },
        "upgrade": {
            **_of(upgraded.verdict), "door": upgraded.door, "migrated_seconds": round(upgraded.migrated_seconds, 2),
            "ready": {name: _spread(seconds) for name, seconds in upgraded.ready_seconds.items()},
            "mixed": [asdict(mixed) for mixed in upgraded.mixed],
        },
        "together": {
            "replicas": started.replicas, "workers": started.workers, "ready": _spread(started.ready_seconds),
            "leaders": started.leaders, "leaderships": started.leaderships, "created": dict(started.made.created),
        },
        "migrations": {"revisions": made.revisions, "created": dict(made.created)},
        "wrong": [
            *restarted.verdict.wrong, *upgraded.verdict.wrong, *upgraded.wrong, *started.wrong,
            *results["wrong_migrations"],
        ],
    }  # fmt: skip


def _of(verdict: Verdict) -> dict[str, Any]:
    found = asdict(verdict)
    return {name: len(value) if isinstance(value, list) else value for name, value in found.items()}


def _spread(seconds: Sequence[float]) -> dict[str, Any]:
    return {"n": len(seconds), "median": round(median(seconds), 2), "worst": round(max(seconds), 2)}


def write(path: Path, found: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """``path`` is the JSON's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1))
    picture.draw(results["upgrade"], path.with_suffix(".png"))
    path.with_suffix(".md").write_text(markdown(found, path.stem))


def summary(found: Mapping[str, Any]) -> str:
    restarts, upgrade = found["restarts"], found["upgrade"]
    requests = restarts["requests"] + upgrade["requests"]
    return (
        f"{requests:,} requests through {restarts['restarts']} restarts and {upgrade['ready']['new']['n']} upgrades:"
        f" {restarts['failed'] + upgrade['failed']} failed, {restarts['lost'] + upgrade['lost']} writes lost,"
        f" {restarts['stale'] + upgrade['stale']} stale. Start to ready: median {restarts['ready']['median']} s,"
        f" worst {restarts['ready']['worst']} s."
    )


def markdown(found: Mapping[str, Any], stem: str) -> str:
    restarts, upgrade, together = found["restarts"], found["upgrade"], found["together"]
    parts = [
        "# Replicas exchanged under load",
        f"`python -m tests.rollout`, {found['machine']}, load average {found['load_average']} over 15 minutes.",
        summary(found),
        *[f"```\n{each}\n```" for each in found["wrong"][:_SHOWN]],
        "Clients know of nothing but HAProxy, on `deploy/compose/haproxy.cfg`. *Failed* is every request without an"
        " answer, or with 5xx or a refusal. *Lost* is every acknowledged write whose version PostgreSQL has no note of."
        " *Stale* is what is not linearizable per key. *Tried again* is HAProxy's doing, which no client notices.",
        _table(
            ("", "rolling restarts", "upgrade"),
            [(name, restarts[name], upgrade[name]) for name in ("requests", "reads", "hits", "writes", "failed", "lost",
                                                                "stale")]
            + [("tried again: same replica, another one",
                *(f"{each['door']['retries']}, {each['door']['redispatches']}" for each in (restarts, upgrade)))]
            + [("slowest request, s", *(f"{each['slowest_seconds']:.2f}" for each in (restarts, upgrade)))],
        ),
        "## Start to ready",
        "From the launch of the process to the first 200 of its `/readyz`, under load, in seconds. Of a processor, a"
        f" start one at a time takes {restarts['ready_cpu']['median']} s (worst {restarts['ready_cpu']['worst']} s):"
        " the rest is waiting for one.",
        _table(("replicas", "starts", "median", "worst"), [
            ("one at a time, rolling restarts", *restarts["ready"].values()),
            *((f"one at a time, upgrade, {name}", *row.values()) for name, row in upgrade["ready"].items()),
            (f"{together['replicas']} of {together['workers']} workers at once, empty database",
             *together["ready"].values()),
        ]),
        "## Both versions at work",
        f"From the release before (`{found['previous'][:7]}`) to this one: today's migrations took"
        f" {upgrade['migrated_seconds']} s beside the old replicas. Then, replica by replica:",
        f"![time line]({stem}.png)",
        _table(("old", "new", "the relay's leader", "hits of the old", "hits of the new", "reads without the cache",
                "a type that is given up"),
               [(m["old"], m["new"], m["leader"], m["hits_of_old"], m["hits_of_new"], m["off"], _purged(m["purged"]))
                for m in upgrade["mixed"]]),
        "## At once",
        f"{together['replicas']} replicas of {together['workers']} workers, each of which migrates when it starts, on"
        f" an empty database: {len(together['created'])} tables, created"
        f" {max(together['created'].values())} time each; {together['leaders']} leader by the metrics of all,"
        f" {together['leaderships']} by PostgreSQL's locks. As many `aside migrate` at once:"
        f" {len(found['migrations']['created'])} tables, created {max(found['migrations']['created'].values())} time"
        f" each, revision {', '.join(found['migrations']['revisions'])}.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _purged(purged: Mapping[str, bool]) -> str:
    return "is still served" if purged["still_served"] else "is gone"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [list(head), ["---"] * len(head)]
    lines += [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
