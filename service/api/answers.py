"""Turns what a service answered into HTTP: status, headers, the body's bytes as they are."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from starlette.responses import Response

from service.api.conditions import ReadCondition
from service.cache.entry import Answer, Detail, Outcome, Settled
from service.services.writing import Written

JSON = "application/json"
REPLAYED_HEADER = "Idempotency-Replayed"


def entity_response(
    answer: Answer, body: bytes, condition: ReadCondition, origin: Mapping[str, str] | None = None
) -> Response:
    """200 with the document, or 304 where the reader has it. ``origin`` replaces what `provenance` would tell."""
    headers = {
        "ETag": etag(answer.version),
        "Last-Modified": http_date(answer.modified_at_ms),
        # Whoever stores this must ask again before each use: only Aside knows when it stops being true.
        "Cache-Control": "no-cache",
        **(provenance(answer) if origin is None else origin),
    }
    if condition.is_unmodified(answer.version, answer.modified_at_ms):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def provenance(answer: Answer) -> dict[str, str]:
    """How the answer came about: Cache-Status (RFC 9211), Server-Timing, and Age where the cache answered."""
    headers = {"Cache-Status": cache_status(answer)}
    if answer.outcome in FROM_CACHE:
        headers["Age"] = str(max(0, answer.age_ms) // 1000)
    timing = server_timing(answer)
    if timing:
        headers["Server-Timing"] = timing
    return headers


def server_timing(answer: Answer) -> str:
    """What was waited for, in ms; empty where nothing was."""
    if answer.load_ms > 0:
        cache = f"cache;dur={answer.cache_ms:.2f}, " if answer.cache_ms > 0 else ""
        return f"{cache}db;dur={answer.load_ms:.2f}"
    return f"cache;dur={answer.cache_ms:.2f}" if answer.cache_ms > 0 else ""


FROM_CACHE = frozenset({Outcome.HIT, Outcome.NEGATIVE_HIT, Outcome.STALE})


def cache_status(answer: Answer) -> str:
    """The one member of Cache-Status that Aside adds."""
    if answer.outcome not in FROM_CACHE:
        return _forwarded_status(answer.outcome, answer.detail, answer.stored)
    detail = f"; detail={answer.detail}" if answer.detail else ""
    return f"aside; hit; ttl={answer.ttl_ms // 1000}{'; stored' if answer.stored else ''}{detail}"


@lru_cache
def _forwarded_status(outcome: Outcome, detail: Detail, stored: bool) -> str:  # noqa: FBT001, the answer's own
    way, said = _forwarded(outcome, detail)
    return f"aside; {way}{'; stored' if stored else ''}" + (f"; detail={said}" if said else "")


def _forwarded(outcome: Outcome, detail: Detail) -> tuple[str, Detail]:
    """Why the database was asked, in RFC 9211's words, and what they leave unsaid."""
    match detail:
        case Detail.EXPIRED:
            return "fwd=stale", Detail.NONE
        case Detail.REQUESTED | Detail.MIN_VERSION:
            return "fwd=request", Detail.NONE
        case _:
            return ("fwd=uri-miss" if outcome is Outcome.MISS else "fwd=bypass"), detail


def written_response(written: Written, location: str, *, waited: bool) -> Response:
    """What a PUT or PATCH left: 201 where nothing had been, otherwise 200, with the document as it is stored.

    Content-Location says that the body is the entity itself, and the ETag therefore this body's: PostgreSQL orders
    names and spaces its own way, so it is rarely what was sent.
    """
    row = written.row
    headers = {
        "ETag": etag(row.version),
        "Last-Modified": http_date(row.modified_at_ms),
        "Content-Location": location,
        **settlement(written.settled, waited=waited, is_repeat=written.is_repeat),
    }
    if row.created:
        headers["Location"] = location
    return Response(row.body, status_code=201 if row.created else 200, headers=headers, media_type=JSON)


def deleted_response(written: Written, *, waited: bool) -> Response:
    """204. No ETag: there is nothing left that it could name."""
    return Response(status_code=204, headers=settlement(written.settled, waited=waited, is_repeat=written.is_repeat))


def settlement(settled: Settled, *, waited: bool, is_repeat: bool) -> dict[str, str]:
    """What a write may say of the cache, whether it was asked not to wait for it, and whether it was done before."""
    headers = {"Aside-Cache": settled.value}
    if not waited:
        headers["Preference-Applied"] = "respond-async"
    if is_repeat:
        headers[REPLAYED_HEADER] = "true"
    return headers


def etag(version: int) -> str:
    return f'"{version}"'


def http_date(at_ms: int) -> str:
    return _http_date(at_ms // 1000)


@lru_cache(maxsize=16_384)
def _http_date(at_seconds: int) -> str:
    return formatdate(at_seconds, usegmt=True)
