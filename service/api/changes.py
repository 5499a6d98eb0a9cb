"""The routes of the feed of changes: a page of what follows a place, and a stream of it. A key is told of what it may
read, and of nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import change_operations as operations
from service.api.answers import JSON
from service.api.change_stream import ChangeStream
from service.api.guarding import GuardedRoute, principal_of
from service.api.queries import read_cursor, read_limit, read_seconds, read_text
from service.api.state import feed_of
from service.domain.entity import ENTITY_TYPE_PATTERN
from service.domain.feed import Cursor, Page
from service.domain.feed_cursor import encode_cursor
from service.domain.scopes import Of, Verb
from service.services.access import Principal
from service.services.feed import Feed

CHANGES_PATH = "/v1/changes"
OLDEST = "oldest"
STREAM_SECONDS_MAX = 86_400


def changes_router() -> APIRouter:
    router = APIRouter(tags=["changes"], route_class=GuardedRoute)
    router.add_api_route(CHANGES_PATH, list_changes, methods=["GET"], **operations.changes())
    router.add_api_route(f"{CHANGES_PATH}/stream", stream_changes, methods=["GET"], **operations.stream())
    return router


async def list_changes(request: Request) -> Response:
    query = request.query_params
    limit, entity_type = read_limit(query), read_text(query, "entity_type", ENTITY_TYPE_PATTERN)
    feed, since = feed_of(request), query.get("since")
    if since is None:
        return _page(Page([], await feed.now(), has_more=False), limit, entity_type)
    cursor = await _place(feed, since, "since")
    page = await feed.page(cursor, limit, wants_of(principal_of(request), entity_type))
    return _page(page, limit, entity_type)


async def stream_changes(request: Request) -> Response:
    query, place = request.query_params, request.headers.get("last-event-id")
    entity_type = read_text(query, "entity_type", ENTITY_TYPE_PATTERN)
    seconds = read_seconds(query, longest=STREAM_SECONDS_MAX) if "seconds" in query else None
    name = "since" if place is None else "Last-Event-ID"
    place = query.get("since") if place is None else place  # a client that comes again repeats its first query
    feed = feed_of(request)
    stream = await feed.open(None if place is None else await _place(feed, place, name))
    return ChangeStream(request, stream, feed, lambda principal: wants_of(principal, entity_type), seconds=seconds)


async def _place(feed: Feed, text: str, name: str) -> Cursor:
    return await feed.oldest() if text == OLDEST else read_cursor(text, name)


def wants_of(principal: Principal | None, entity_type: str) -> Callable[[str], bool] | None:
    """Whether a change of a type is to be told; None: all are. ``entity_type`` is empty where any was asked for."""
    sees_all = principal is None or principal.scopes.allow(Verb.READ, Of.EVERYTHING)
    if sees_all and not entity_type:
        return None

    def wants(of: str) -> bool:
        may = sees_all or (principal is not None and principal.scopes.allow(Verb.READ, of))
        return may and entity_type in {"", of}

    return wants


def _page(page: Page, limit: int, entity_type: str) -> Response:
    cursor = encode_cursor(page.cursor)
    body = json.dumps({"changes": [change.as_told for change in page.changes], "cursor": cursor})
    headers = {"Cache-Control": "no-store"}
    if page.has_more:
        asked = {"entity_type": entity_type} if entity_type else {}
        headers["Link"] = f'<{CHANGES_PATH}?{urlencode({**asked, "limit": limit, "since": cursor})}>; rel="next"'
    return Response(body, headers=headers, media_type=JSON)
