"""`aside explain`: one key, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from service.cli.asking import AsJson, Url, asking, path_of
from service.cli.stats_display import span

_COLOURS = {"fresh": "green", "expired": "yellow", "absent": "yellow", "leased": "yellow"}

EntityType = Annotated[str, typer.Argument(metavar="TYPE", help="The entity type; `parameter` for a parameter.")]
EntityId = Annotated[str, typer.Argument(metavar="ID", help="The id, or the parameter's key.")]


def explain(entity_type: EntityType, entity_id: EntityId, url: Url = None, *, as_json: AsJson = False) -> None:
    """Say why a reader of one key is answered as it is: what the cache holds, and what PostgreSQL says."""
    with asking(url) as service:
        told = service.get(path_of("v1", "cache", "entries", entity_type, entity_id))
    if as_json:
        typer.echo(json.dumps(told))
        return
    console = Console(soft_wrap=True, highlight=False, emoji=False)  # cache:book: is no 📖
    verdict = told["verdict"]
    console.print(f"[bold]{escape(told['key'])}[/]  [{_COLOURS.get(verdict, 'red')}]{escape(verdict)}[/]")
    console.print(f"  {escape(told['explanation'])}\n")
    for name, words in lines_of(told):
        console.print(f"  {name:<12}{escape(words)}")


def lines_of(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and words of everything that is known."""
    yield "cached", _entry(told["entry"])
    if told["lease"] is not None:
        yield "lease", _lease(told["lease"])
    if told.get("refresh_claimed_for_seconds") is not None:
        yield "refresh", f"claimed for another {span(told['refresh_claimed_for_seconds'])}"
    yield "PostgreSQL", _row(told["row"], told.get("row_fault"))
    change = told["last_change"]
    if change is not None:
        state = "every cache that readers trust knows" if change["applied"] else "on its way to the cache"
        yield "last change", f"version {change['version']}, at {change['at']}: {state}"
    yield "policy", _policy(told["policy"])


def _entry(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "nothing"
    what = "that there is none" if entry["kind"] == "negative" else f"{entry['bytes']:,} bytes"
    fresh = entry["fresh_for_seconds"]
    freshness = f"fresh for another {span(fresh)}" if fresh > 0 else f"past its freshness for {span(-fresh)}"
    return (
        f"version {entry['version']}, {what}; loaded {span(entry['age_seconds'])} ago in "
        f"{entry['load_cost_seconds'] * 1000:.0f} ms, {freshness}, {_gone_in(entry['expires_in_seconds'])}; "
        f"label {entry['generation']}"
    )


def _lease(lease: Mapping[str, Any]) -> str:
    return f"{lease['token']}, for versions from {lease['floor']} on, {_gone_in(lease['expires_in_seconds'])}"


def _gone_in(seconds: float | None) -> str:
    return "never forgotten" if seconds is None else f"forgotten in {span(seconds)}"


def _row(row: Mapping[str, Any] | None, fault: str | None) -> str:
    if row is None:
        return fault or "there has never been such a row"
    what = f"version {row['version']}" if row["exists"] else f"deleted, by version {row['version']}"
    own = "" if row["ttl_seconds"] is None else f"; a lifetime of its own, {span(row['ttl_seconds'])}"
    return f"{what}, of {row['updated_at']}{own}"


def _policy(policy: Mapping[str, Any]) -> str:
    words = [f"{policy['strategy']}", f"fresh for {span(policy['ttl_seconds'])}"]
    words += [f"absent for {span(policy['negative_ttl_seconds'])}"]
    if policy["stale_if_error_seconds"]:
        words.append(f"stale-if-error for {span(policy['stale_if_error_seconds'])}")
    return ", ".join(words)
