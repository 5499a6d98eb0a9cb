"""One request for each route, as it stands in the table of rules. A route without one makes the matrix fail."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from service.api.access_rules import RULES, Place
from service.domain.feed import Cursor, Seen
from service.domain.feed_cursor import encode_cursor

TYPE = "thing"
BODIES: dict[Place, Any] = {
    ("PUT", "/v1/entities/{entity_type}/{id}"): {"new": 1},
    ("PATCH", "/v1/entities/{entity_type}/{id}"): {"more": 1},
    ("POST", "/v1/entities/{entity_type}/batch-read"): {"ids": ["ID"]},
    ("POST", "/v1/batch-write"): {"writes": [{"op": "put", "entity_type": TYPE, "id": "ID", "body": {}}]},
    ("PUT", "/v1/parameters/{key}"): {"type": "string", "value": "new"},
    ("PUT", "/v1/parameters/{key}/value"): "newer",
    ("POST", "/v1/parameters/{key}/rollback"): {"version": 1},
    ("POST", "/v1/parameters/batch-read"): {"keys": ["ID"]},
    ("PUT", "/v1/cache/policies/{entity_type}"): {"ttl_seconds": 300, "stale_if_error_seconds": 600},
    ("POST", "/v1/cache/warm"): {"entity_type": TYPE, "ids": ["ID"]},
    ("POST", "/v1/cache/purge"): {"entity_type": TYPE, "ids": ["ID"]},
    ("POST", "/v1/keys"): {"name": "ID", "scopes": ["read:x"]},
    ("POST", "/v1/keys/{id}/rotate"): {},
}
ELSEWHERE = encode_cursor(Cursor("00" * 8, Seen(1)))
"""A place of another history: the stream is refused, and so it has an end."""
QUERIES = {
    ("GET", "/v1/parameters/{key}/diff"): "?from=1",
    ("GET", "/v1/changes"): "?since=oldest&limit=1000",
    ("GET", "/v1/changes/stream"): f"?since={ELSEWHERE}",
}
ASSETS = {"/docs/assets": "/docs/assets/swagger-ui.css", "/dashboard/assets": "/dashboard/assets/js/main.js"}


class Sample(NamedTuple):
    method: str
    path: str
    content: bytes | None


def sample(place: Place, entity_id: str, *, job: int, key: str) -> Sample:
    """``entity_id`` is an entity's and a parameter's too."""
    method, template = place
    path = ASSETS.get(template, template).replace("{entity_type}", TYPE).replace("{key}", entity_id)
    if template.startswith("/v1/cache/jobs"):
        path = path.replace("{id}", str(job))
    path = path.replace("{id}", key if template.startswith("/v1/keys") else entity_id)
    body = BODIES.get(place)
    assert (body is not None) is (method in {"PUT", "PATCH", "POST"}), f"no body is known for {place}"
    content = None if body is None else json.dumps(body).replace("ID", entity_id).encode()
    return Sample(method, path + QUERIES.get(place, ""), content)


PLACES = sorted(RULES)
