"""`aside changes`: what was changed, by whomever; and what is being changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import httpx
import typer

from service.cli.asking import AsJson, RefusedError, Service, Url, asking
from service.cli.server_sent_events import Event, events_of

_PATH = "/v1/changes"
_LIMIT = 1_000
_AGAIN_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0

Since = Annotated[
    str | None,
    typer.Option(help="A cursor, or `oldest`: all that is kept. Not given: that; with --follow, from now on."),
]
OfType = Annotated[str | None, typer.Option("--type", help="Only this entity type; `parameter` for parameters.")]
Follow = Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")]


def changes(
    url: Url = None, since: Since = None, of_type: OfType = None, *, follow: Follow = False, as_json: AsJson = False
) -> None:
    """List which keys were changed lately, one in each line, and how to go on from there.

    With --json, each line is an object.
    """
    place, wanted = since or "", {"entity_type": of_type} if of_type else {}
    with asking(url) as service:
        try:
            for cursor, change in _follow(service, place, wanted) if follow else _all(service, place, wanted):
                place = cursor
                if change is not None:
                    typer.echo(json.dumps(change) if as_json else line_of(change))
        except KeyboardInterrupt:
            pass
        finally:
            if place:
                typer.echo(f"To go on from here: --since {place}", err=True)


Step = tuple[str, Mapping[str, Any] | None]
"""Where one is, and what was changed there."""


def _all(service: Service, place: str, wanted: Mapping[str, str]) -> Iterator[Step]:
    place = place or "oldest"
    while True:
        reply = service.send("GET", _PATH, query={**wanted, "since": place, "limit": _LIMIT})
        for change in reply.body["changes"]:
            yield place, change
        place = reply.body["cursor"]
        yield place, None
        if "link" not in reply.headers:
            return


def _follow(service: Service, place: str, wanted: Mapping[str, str]) -> Iterator[Step]:
    """A service that is restarted meanwhile is waited for."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            for event in _events(service, place, wanted):
                give_up_at = time.monotonic() + _PATIENCE_SECONDS
                place = event.id or place
                yield place, json.loads(event.data) if event.data else None
        except (httpx.TransportError, RefusedError) as error:
            is_over = isinstance(error, RefusedError) and error.status < 500
            # Where it never was, or is no more, there is nothing to wait for.
            if is_over or not place or time.monotonic() > give_up_at:
                raise
        time.sleep(_AGAIN_SECONDS)


def _events(service: Service, place: str, wanted: Mapping[str, str]) -> Iterator[Event]:
    """Raises RefusedError where what follows is not kept any more."""
    headers = {"Last-Event-ID": place} if place else {}
    with service.lines(f"{_PATH}/stream", headers=headers, query=wanted) as lines:
        for event in events_of(lines, place):
            if event.name == "gone":
                raise RefusedError(410, json.loads(event.data))
            yield event


def line_of(change: Mapping[str, Any]) -> str:
    """E.g. `2026-11-20T08:00:00.123456Z  country:JP  version 7`."""
    state = ", deleted" if change["deleted"] else ""
    return f"{change['at']}  {change['entity_type']}:{change['id']}  version {change['version']}{state}"
