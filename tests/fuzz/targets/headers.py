"""What a request's headers say: directives, conditions, who writes and why, request ids."""

from __future__ import annotations

import re
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request

from service.api.authorship import read_authorship
from service.api.bodies import _parsed
from service.api.conditions import TagList, is_known, parse_tags, read_condition, write_condition
from service.api.directives import SECONDS_MAX, VERSION_MAX, read_wish, wants_no_waiting
from service.api.request_ids import assign_request_id, chosen_request_id, request_id_of
from service.errors import InvalidInputError
from tests.fuzz.target import Target, joined, parts_of


def directives(data: bytes) -> None:
    """A header is read or refused. What is put behind it counts as well, and what nobody knows changes nothing."""
    first, second = parts_of(data, 2)
    header, minimum = first.decode("latin-1"), second.decode("latin-1")
    wants_no_waiting({"prefer": header})
    with suppress(InvalidInputError):
        assert 0 <= read_wish({"aside-min-version": minimum}).min_version <= VERSION_MAX
    try:
        wish = read_wish({"cache-control": header})
    except InvalidInputError as error:
        assert error.pointer == "Cache-Control"
        return
    for seconds in (wish.max_age_seconds, wish.stale_if_error_seconds):
        assert seconds is None or (0 <= seconds <= SECONDS_MAX and seconds.is_integer())
    if header.count('"') % 2 or _ENDS_OPEN.search(header):
        return
    assert read_wish({"cache-control": f"{header}, x-unknown=7"}) == wish
    assert read_wish({"cache-control": f"{header} ,\tNO-CACHE"}) == replace(wish, no_cache=True)
    assert read_wish({"cache-control": f'{header}, max-age="0"'}) == replace(wish, max_age_seconds=0.0)
    assert wants_no_waiting({"prefer": f"{header}, Respond-Async; x=1"})


_ENDS_OPEN = re.compile(r"=[ \t]*\Z")


def tags(data: bytes) -> None:
    """Tags are those of each part of the list; what is compared weakly has all that is compared strongly."""
    first, second = parts_of(data, 2)
    one, other = (_tags(part.decode("latin-1")) for part in (first, second))
    both = _tags(f"{first.decode('latin-1')},{second.decode('latin-1')}")
    for found in (one, other, both):
        assert found is None or found.anything or found.strong <= found.weak
        assert found is None or all(0 < version < 10**19 for version in found.weak)
    if one is None or other is None or one.anything or other.anything:
        return
    assert both == TagList(one.strong | other.strong, one.weak | other.weak)
    for version in one.weak:
        assert is_known({"if-none-match": first.decode("latin-1")}, str(version))
        assert read_condition({"if-none-match": first.decode("latin-1")}).is_unmodified(version, 0)
    condition = write_condition({"if-match": first.decode("latin-1")})
    assert condition.if_match == (one.strong or frozenset({-1}))


def _tags(header: str) -> TagList | None:
    try:
        return parse_tags(header, "If-Match")
    except InvalidInputError as error:
        assert error.pointer == "If-Match"
        return None


def date(data: bytes) -> None:
    """A date is ignored, or a whole second; it means the same wherever this process runs."""
    since = read_condition({"if-modified-since": data.decode("latin-1")}).modified_since_ms
    assert since is None or since % 1_000 == 0
    with suppress(ValueError):
        at = datetime.strptime(data.decode("latin-1"), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        # A date without a zone is of none but UTC. Of a year before 1000, mail readers have ideas of their own.
        assert at.year < 1_000 or since == at.timestamp() * 1_000


def authorship(data: bytes) -> None:
    """Who writes is what was said, printable and not too long; said again in full, it is the same."""
    actor, reason = _said(data)
    for text, longest in ((actor, 200), (reason, 1_000)):
        assert text is None or (text.isprintable() and 0 < len(text) <= longest)
    if actor is not None:
        assert _said(quote(actor).encode()) == (actor, None)


def _said(data: bytes) -> tuple[str | None, str | None]:
    actor, reason = parts_of(data, 2)
    headers = [(b"aside-actor", actor), (b"aside-reason", reason)]
    try:
        said = read_authorship(Request({"type": "http", "headers": headers}))
    except InvalidInputError as error:
        assert error.pointer in {"Aside-Actor", "Aside-Reason"}
        return None, None
    return said.actor, said.reason


def request_id(data: bytes) -> None:
    """What is repeated in a header and in the log is harmless; a type of content is read, whatever it says."""
    chosen = chosen_request_id(data)
    assert re.fullmatch(rb"[A-Za-z0-9._-]{1,128}", chosen)
    assert chosen == data or not re.fullmatch(rb"[A-Za-z0-9._-]{1,128}", data)
    scope = {"headers": [(b"x-request-id", data)]}
    assigned = copy_context().run(assign_request_id, scope)  # the log of whoever runs this is not told
    assert assigned == (data if chosen == data else assigned)
    assert request_id_of(scope).encode() == assigned
    media_type, charset = _parsed(data.decode("latin-1"))
    assert media_type.count("/") == 1
    assert charset == charset.lower()


TARGETS = (
    Target(
        "directives",
        directives,
        (
            joined('max-age=60, stale-if-error="30", no-cache', 41),
            b"respond-async, wait=10",
            b'x="a,b";y, only-if-cached',
        ),
        (b"max-age", b"no-cache", b"stale-if-error", b"=", b'"', b",", b";", b" ", b"\t", b"9999999999999", b"\0"),
    ),
    Target(
        "tags",
        tags,
        (joined('"7", W/"8"', '"9"'), joined("*", '""'), b'W/"007" ,\t"x,y"'),
        (b'"', b"W/", b",", b"*", b" ", b"\0", b"9223372036854775807"),
    ),
    Target(
        "date",
        date,
        (b"Fri, 20 Nov 2026 08:00:01 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994"),
        (b"GMT", b"+0900", b"-0000", b"Nov", b":", b",", b" ", b"99999", b"0001", b"("),
    ),
    Target(
        "authorship",
        authorship,
        (joined("ann", "new%20limit"), b"%C3%A9%F0%9F%98%80"),
        (b"%0A", b"%C3%A9", b"%", b"%00", b"\0", b" ", b"%E2%80%8B"),
    ),
    Target(
        "request-id",
        request_id,
        (b"4bf92f3577b34da6", b"application/json; charset=utf-8", b"application/merge-patch+json"),
        (b"\r\n", b"/", b"; charset=", b'"', b"*=utf-8''"),
    ),
)
