"""Which requests the hot reads may answer, and what these say. Pure; whatever is not clearly one of them is none."""

from __future__ import annotations

import re
from typing import NamedTuple

from starlette.types import Scope

ENTITY_ROUTE = "/v1/entities/{entity_type}/{id}"
PARAMETER_ROUTE = "/v1/parameters/{key}"

PATH = re.compile(
    r"/v1/(?:entities/([a-z][a-z0-9_-]{0,62})|parameters)/([A-Za-z0-9][A-Za-z0-9._~:@-]{0,254})", re.ASCII
)
_HEEDED = frozenset(
    (
        *(b"aside-min-version", b"authorization", b"cache-control", b"if-match", b"if-modified-since"),
        *(b"if-none-match", b"x-request-id"),
    )
)
_ONE_TAG = re.compile(rb'"([1-9][0-9]{0,17})"')


class Target(NamedTuple):
    """``entity_type`` None: a parameter. ``known_version`` is what the client has; 0: it does not say.

    ``request_id`` is the first that the client offers, unchecked; empty where it offers none. So is ``authorization``.
    """

    entity_type: str | None
    name: str
    known_version: int
    request_id: bytes
    authorization: bytes = b""

    @property
    def described(self) -> str:
        return f"{self.entity_type or 'parameter'} {self.name}"

    @property
    def route(self) -> str:
        return PARAMETER_ROUTE if self.entity_type is None else ENTITY_ROUTE


def target_of(scope: Scope) -> Target | None:
    """What is read, where the request says nothing but that; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"] or scope.get("root_path"):
        return None
    match = PATH.fullmatch(scope["path"])
    if match is None:
        return None
    version, request_id, authorization = 0, None, b""
    for name, value in scope["headers"]:
        if name not in _HEEDED:
            continue
        if name == b"x-request-id":
            request_id = value if request_id is None else request_id
        elif name == b"authorization" and not authorization:
            authorization = value
        elif name == b"if-none-match" and not version:
            tag = _ONE_TAG.fullmatch(value)
            if tag is None:
                return None
            version = int(tag[1])
        else:
            return None
    return Target(match[1], match[2], version, request_id or b"", authorization)
