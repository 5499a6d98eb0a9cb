"""How the feed of changes stands in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.answers import JSON
from service.api.documentation import (
    LIMIT,
    REQUEST_ID,
    Fragment,
    header_parameter,
    headers,
    operation,
    problem,
    query_parameter,
)
from service.api.parameter_documentation import server_problems
from service.api.schemas import MOMENT, NAME, VERSION, list_of, object_of, ref
from service.domain.entity import ENTITY_TYPE_PATTERN
from service.domain.feed_cursor import CURSOR_PATTERN

_PLACE = rf"^oldest$|{CURSOR_PATTERN}"
_SINCE = query_parameter(
    "since",
    "The `cursor` of the page before, or `oldest`: as far back as changes are kept; not given: from now on",
    type="string",
    pattern=_PLACE,
)
_TYPE = query_parameter("entity_type", "Only changes of this type", type="string", pattern=ENTITY_TYPE_PATTERN)
_SECONDS = query_parameter(
    "seconds", "End after so long; otherwise when either side does", type="integer", minimum=1, maximum=86400
)
_LAST = header_parameter(
    "Last-Event-ID", "The `id` of the last event that was seen; a browser sends it by itself", pattern=_PLACE
)
_CURSOR = "AU3vjKEnBfZKzwYAK9I3rQ"
_CHANGE: dict[str, Any] = {
    "entity_type": "country", "id": "JP", "version": 7, "deleted": False, "at": "2026-11-20T08:00:00.123456Z"
}  # fmt: skip
_GONE = problem("What follows this cursor is not kept any more: read everything again")
_EVENTS = """: alive
id: AU3vjKEnBfZKygYAmY3fHw

event: change
data: {"entity_type": "country", "id": "JP", "version": 7, "deleted": false, "at": "2026-11-20T08:00:00.123456Z"}
id: AU3vjKEnBfZKzwYAK9I3rQ

"""


def changes() -> dict[str, Any]:
    text = """What was changed, through this service or by plain SQL, parameters too (their type is `parameter`), in an
order in which nothing is missed: a transaction that takes long is told when it is committed. Each change says what had
become of the key when the page was read. A key that was changed several times stands in a page once, and may stand in
the next one again. Changes are kept for a day.

To follow everything: ask without `since` for the cursor of now, read the lists, then ask since the cursor again and
again; as long as there is a `Link` to the next page, at once. A key is told of the types that it may read."""
    shown: Fragment = {"schema": ref("ChangePage"), "example": {"changes": [_CHANGE], "cursor": _CURSOR}}
    responses = {
        200: {"description": "Some changes", "headers": headers("Link", "Cache-Control"), "content": {JSON: shown}},
        410: _GONE,
        422: problem("A query parameter is not valid"),
        **server_problems(),
    }
    return operation(
        "listChanges",
        "What was changed since",
        description=text,
        parameters=[_SINCE, _TYPE, LIMIT, REQUEST_ID],
        responses=responses,
    )


def stream() -> dict[str, Any]:
    text = """The same as server-sent events, as they happen: `event: change`, its `data` as in a page, its `id` a
cursor. A comment comes at least every few seconds, and says so if PostgreSQL cannot be reached; its `id` moves the
cursor on where nothing was for this client. A stream that is cut off goes on by `Last-Event-ID`. `event: gone` with a
problem is the last one: what follows is not kept any more.

It ends when the process is about to stop, when the key is revoked, and for a client that is too slow. Here it is shown
when it has ended: give it some `seconds`."""
    shown: Fragment = {"schema": {"type": "string"}, "example": _EVENTS}
    sent = {"description": "Events, for as long as it lasts", "headers": headers("Cache-Control", "X-Accel-Buffering")}
    responses = {
        200: {**sent, "content": {"text/event-stream": shown}},
        410: _GONE,
        422: problem("A query parameter or the header is not valid"),
        **server_problems(),
        503: problem("PostgreSQL cannot answer, or there are too many streams", "Retry-After"),
    }
    return operation(
        "streamChanges",
        "Follow what is changed",
        description=text,
        parameters=[_SINCE, _TYPE, _SECONDS, _LAST, REQUEST_ID],
        responses=responses,
    )


def change_schemas() -> dict[str, Fragment]:
    """By name, for `components.schemas`."""
    members = {
        "entity_type": {"type": "string", "pattern": ENTITY_TYPE_PATTERN},
        "id": NAME,
        "version": VERSION,
        "deleted": {"type": "boolean", "description": "whether there is no such entity now"},
        "at": MOMENT,
    }
    return {
        "Change": object_of("A key that was changed, and what has become of it", members),
        "ChangePage": object_of(
            "Some changes, and the place behind them",
            {"changes": list_of(ref("Change")), "cursor": {"type": "string", "pattern": CURSOR_PATTERN}},
        ),
    }
