"""`aside keys`: API keys, made, listed, rotated and revoked in PostgreSQL itself: the first needs no other key."""

from __future__ import annotations

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from service.cli.keys_display import tell_key, tell_keys, tell_new
from service.cli.refusals import BAD_SETTING, read_settings, readable_failures, refuse
from service.db.api_keys import ApiKeyTable
from service.db.pool import Database
from service.domain.parameter import Authorship
from service.domain.scopes import parse_scopes
from service.errors import InvalidInputError
from service.services.api_keys import ApiKeys

keys = typer.Typer(
    help="API keys, in the database of DATABASE_URL: make, list, rotate, revoke.",
    no_args_is_help=True,
    add_completion=False,
)

R = TypeVar("R")
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
Name = Annotated[str, typer.Argument(help="What histories call it: letters, digits, dot, dash, underscore.")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="As `aside keys list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Actor = Annotated[str | None, typer.Option(envvar="ASIDE_ACTOR", help="Who says so, for the history; else the login.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the history.")]


@keys.command()
def create(
    name: Name,
    scope: Annotated[list[str], typer.Option(help="As in read:* or write:price-*; may be repeated.")],
    *,
    expires: Annotated[str | None, typer.Option(help="In how long: 90d, 12h, 30m.")] = None,
    actor: Actor = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it: this once."""
    said = _authorship(actor, reason)
    seconds = None if expires is None else _seconds_of(expires, "--expires")
    with readable_failures():
        try:
            scopes = parse_scopes(scope)
        except InvalidInputError as error:
            refuse(str(error), exit_code=BAD_SETTING)
        made = _done(lambda keys: keys.create(name, scopes, lifetime_seconds=seconds, authorship=said))
    tell_new(made, as_json=as_json)


@keys.command()
def rotate(
    key_id: KeyId,
    *,
    overlap: Annotated[str, typer.Option(help="How long the old key goes on to be taken: 1d, 2h, 0s.")] = "1d",
    actor: Actor = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Make a successor of a key, and show it: this once. The old one expires when the overlap is over."""
    said = _authorship(actor, reason)
    seconds = _seconds_of(overlap, "--overlap")
    with readable_failures():
        made = _done(lambda keys: keys.rotate(key_id, overlap_seconds=seconds, authorship=said))
    tell_new(made, as_json=as_json)


@keys.command()
def revoke(key_id: KeyId, *, actor: Actor = None, reason: Reason = None, as_json: AsJson = False) -> None:
    """Revoke a key: within B no replica takes it any more."""
    said = _authorship(actor, reason)
    with readable_failures():
        row = _done(lambda keys: keys.revoke(key_id, authorship=said))
    tell_keys([row], as_json=as_json)


@keys.command("list")
def list_all(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """All keys, live or not, the newest first. Never their texts."""
    with readable_failures():
        rows = _done(lambda keys: keys.newest(limit))
    tell_keys(rows, as_json=as_json)


@keys.command()
def show(key_id: KeyId, *, as_json: AsJson = False) -> None:
    """One key, and what was done to it, when, by whom."""

    async def look(keys: ApiKeys) -> Any:
        return await keys.read(key_id), await keys.events(key_id)

    with readable_failures():
        row, events = _done(look)
    tell_key(row, events, as_json=as_json)


def _seconds_of(text: str, option: str) -> int:
    found = _SPAN.fullmatch(text)
    if found is None:
        refuse(f"{option}: a number and s, m, h or d, as in 90d or 12h", exit_code=BAD_SETTING)
    return int(found[1]) * _SECONDS[found[2]]


def _authorship(actor: str | None, reason: str | None) -> Authorship:
    """Whoever may open the database is who the login says, or whom it names."""
    return Authorship(actor or f"cli:{getpass.getuser()}", reason)


def _done(do: Callable[[ApiKeys], Awaitable[R]]) -> R:
    settings = read_settings()

    async def run() -> R:
        database = Database(
            settings.database_url.get_secret_value(),
            load_connections=0,
            write_connections=1,
            spare_connections=0,
            connect_timeout_seconds=settings.database.connect_timeout_seconds,
            statement_timeout_seconds=settings.database.statement_timeout_seconds,
        )
        try:
            return await do(ApiKeys(ApiKeyTable(database)))
        finally:
            await database.close()

    return asyncio.run(run())
