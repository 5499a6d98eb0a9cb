"""Reads a request's body whole, as it was sent, within a limit; and decides which media types are taken."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.errors import TooLargeError

MERGE_PATCH = "application/merge-patch+json"
_PATCH_FORMATS = frozenset({MERGE_PATCH, "application/json-patch+json"})


def is_document_type(media_type: str) -> bool:
    """What a PUT takes. A patch is no document, though its type ends in +json: to store one would lose the entity."""
    if media_type in _PATCH_FORMATS:
        return False
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def is_merge_patch_type(media_type: str) -> bool:
    """What a PATCH takes. Not every +json: a JSON Patch read as a merge patch would replace the entity by a list."""
    return media_type in {MERGE_PATCH, "application/json"}


async def read_body(request: Request, is_accepted: Callable[[str], bool], *, limit_bytes: int) -> bytes:
    """The body, before anything else is begun, so that a slow sender holds nothing but its own connection.

    Raises `TooLargeError` as soon as more than ``limit_bytes`` are announced or have arrived, HTTPException 415 for a
    type or an encoding that is not taken, and starlette's ClientDisconnect.
    """
    _check_type(request, is_accepted)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit_bytes:
        raise _too_large(limit_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _check_type(request: Request, is_accepted: Callable[[str], bool]) -> None:
    headers = request.headers
    if headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise HTTPException(415, "the body must not be encoded", headers={"Accept-Encoding": "identity"})
    media_type, charset = _parsed(headers.get("content-type", ""))
    if not is_accepted(media_type):
        accepted = f"{MERGE_PATCH}, application/json" if request.method == "PATCH" else "application/json"
        name = "Accept-Patch" if request.method == "PATCH" else "Accept"
        raise HTTPException(415, f"the body must be sent as {accepted.replace(', ', ' or ')}", headers={name: accepted})
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        raise HTTPException(415, "JSON is sent in UTF-8")


@lru_cache(maxsize=64)
def _parsed(content_type: str) -> tuple[str, str]:
    """Media type and charset. Without a type, or with one that cannot be parsed: text/plain, which nothing here takes.

    Clients say the same again and again, and the parser is made for mails.
    """
    message = Message()
    message["content-type"] = content_type
    return message.get_content_type(), message.get_content_charset() or "utf-8"


def _too_large(limit_bytes: int) -> TooLargeError:
    return TooLargeError(f"the body exceeds {limit_bytes} bytes")
