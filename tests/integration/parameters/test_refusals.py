"""What is refused, and how."""

from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize(
    ("method", "place", "status"),
    [
        ("GET", "/v1/parameters/-bad", 422),
        ("GET", "/v1/parameters/%20", 422),
        ("GET", "/v1/parameters/a?version=x", 422),
        ("GET", "/v1/parameters/a?at=yesterday", 422),
        ("GET", "/v1/parameters/a?at=2026-11-20T08:00:00Z&version=1", 422),
        ("PUT", "/v1/parameters/a?dry_run=1", 422),
        ("PUT", "/v1/parameters/a?change_type=yes", 422),
        ("GET", "/v1/parameters?limit=0", 422),
        ("GET", "/v1/parameters?prefix=%20", 422),
        ("GET", "/v1/parameters?cursor=%20", 422),
        ("GET", "/v1/parameters/a/diff", 422),
        ("GET", "/v1/parameters/a/diff?from=0", 422),
        ("GET", "/v1/parameters/a/diff?from=1", 404),
        ("GET", "/v1/parameters/a/versions?cursor=0", 422),
        ("GET", "/v1/parameters/a/versions", 404),
        ("POST", "/v1/parameters/a", 405),
        ("GET", "/v1/parameters/a/b", 404),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, method: str, place: str, status: int) -> None:
    body = {"type": "integer", "value": 1} if method == "PUT" else None
    answer = await client.request(method, place, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Aside-Actor": "%00"}, b"{}", 400),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/json-patch+json"}, b"[]", 415),
        ({"Content-Type": "application/json"}, b'{"type": 1, "type": 2}', 400),
        ({"Content-Type": "application/json"}, b'{"type": "string", "value": "\\u0000"}', 422),
        ({"Content-Type": "application/json"}, b'{"type": "json", "value": ' + b"[" * 70 + b"]" * 70 + b"}", 422),
        ({"Content-Type": "application/json"}, b'{"type": "string", "value": "' + b"x" * 1024 * 1024 + b'"}', 413),
    ],
)
async def test_a_body_or_header_that_cannot_be_taken_changes_nothing(
    client: httpx.AsyncClient, path: str, *, headers: dict[str, str], body: bytes, status: int
) -> None:
    assert (await client.put(path, content=body, headers=headers)).status_code == status
    assert (await client.get(path)).status_code == 404
