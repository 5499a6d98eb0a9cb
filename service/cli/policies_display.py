"""What policies look like to people: a table, a difference, a history; or the service's JSON as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

MEMBERS = ("strategy", "ttl_seconds", "jitter", "negative_ttl_seconds", "stale_if_error_seconds", "early_refresh_beta")


def tell_json(found: Any) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False))


def tell_policies(found: Sequence[Mapping[str, Any]]) -> None:
    """One line each. Members are named as in the API, so that what is read can be set."""
    table = Table("type", *MEMBERS, "source", "version", "by", box=None)
    for each in found:
        version = "" if each["version"] is None else str(each["version"])
        members = [str(each[name]) for name in MEMBERS]
        table.add_row(each["entity_type"] or "(default)", *members, each["source"], version, each["updated_by"] or "")
    _print(table)


def tell_difference(rehearsal: Mapping[str, Any]) -> None:
    """Of a dry run."""
    changes = [f"  {each['path'][1:]}: {json.dumps(each['value'])}" for each in rehearsal["patch"]]
    outcome = "\n".join(changes) if changes else "  nothing would be different"
    _print(f"Would {rehearsal['would']} the stored policy. Nothing was written.\n{outcome}")


def tell_versions(versions: Sequence[Mapping[str, Any]]) -> None:
    """Newest first."""
    if not versions:
        _print("Nothing has been stored for this type.")
        return
    table = Table("version", "at", "by", "why", "policy", box=None)
    for each in versions:
        said = "removed" if each["policy"] is None else _in_words(each["policy"])
        table.add_row(str(each["version"]), each["at"], each["actor"] or "", each["reason"] or "", said)
    _print(table)


def _in_words(members: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {members[name]}" for name in MEMBERS if name in members)


def _print(what: Table | str) -> None:
    """Into a file or a pipe without folding: programs read lines."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=400)
    console.print(what, soft_wrap=isinstance(what, str))
