"""What keys look like to people and to programs. The text of a new one goes to the standard output, nowhere else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table

from service.api.key_forms import KeyEventReport, KeyReport
from service.cli.wide_console import wide_console
from service.db.api_keys import KeyEvent, KeyRow
from service.services.api_keys import NewKey


def tell_new(made: NewKey, *, as_json: bool) -> None:
    """The text alone on the standard output, so that it can be piped to where it is to be kept."""
    if as_json:
        typer.echo(json.dumps({**KeyReport.members_of(made.row), "key": made.text}))
        return
    typer.echo(made.text)
    row = made.row
    ends = "does not expire" if row.expires_at is None else f"expires at {row.expires_at:%Y-%m-%d %H:%M} UTC"
    said = f"Key {row.id} of {row.name}, with {', '.join(row.scopes)}: it {ends}. It is not shown again."
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(said)


def tell_keys(rows: Sequence[KeyRow], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"keys": [KeyReport.members_of(row) for row in rows]}))
        return
    table = Table("id", "name", "scopes", "state", "created", "by", "last used", box=None)
    for row in rows:
        cells = (_moment(row.created_at), row.created_by or "", _moment(row.last_used_at))
        table.add_row(row.id, row.name, " ".join(row.scopes), _state(row), *cells)
    wide_console().print(table)


def tell_key(row: KeyRow, events: Sequence[KeyEvent], *, as_json: bool) -> None:
    if as_json:
        history = [KeyEventReport.of(event).model_dump() for event in events]
        typer.echo(json.dumps({**KeyReport.members_of(row), "history": history}))
        return
    tell_keys([row], as_json=False)
    table = Table("at", "what", "by", "why", box=None)
    for event in events:
        table.add_row(_moment(event.at), event.kind, event.actor or "", event.reason or "")
    wide_console().print(table)


def _state(row: KeyRow) -> str:
    if row.revoked_at is not None:
        return f"revoked {_moment(row.revoked_at)}"
    if row.expires_at is None:
        return "live"
    return f"{'live until' if row.expires_at > datetime.now(UTC) else 'expired'} {_moment(row.expires_at)}"


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"
