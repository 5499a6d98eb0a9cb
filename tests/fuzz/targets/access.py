"""Who asks, and what for: the texts of keys, the header they come in, scopes."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, cast

from service.domain.key_text import ALPHABET, LENGTH, compose_key, digest_of, id_in_key
from service.domain.scopes import OF_TYPES, Decision, Of, Scopes, Verb, decide, is_scope, parse_scopes
from service.errors import InvalidBodyError, UnauthenticatedError
from service.services.access import Access, Principal, _Known
from tests.fuzz.target import Target, joined, parts_of

KEY = compose_key("0123456789ab", "cdefghjkmnpqrstvwxyz0123456789ab")


def key_text(data: bytes) -> None:
    """What is a key is one in every sign, and was composed of its parts; one sign changed, and it is none."""
    text = data.decode("latin-1")
    key_id = id_in_key(text)
    if key_id is None:
        return
    assert len(text) == LENGTH
    _, _, found_id, secret, _ = text.split("_")
    assert found_id == key_id
    assert compose_key(key_id, secret) == text
    assert len(digest_of(data)) == 32
    for place in range(LENGTH):
        other = ALPHABET[(ALPHABET.find(text[place]) + 1) % len(ALPHABET)]
        assert id_in_key(text[:place] + other + text[place + 1 :]) is None


def authorization(data: bytes) -> None:
    """The header is refused in words of its own, or is that of the one key there is; at the short door as well."""
    access = _access_that_knows(KEY)
    allowed = access.may_read(data, "country")
    try:
        principal = access.admit(data.split(b"\0"))
    except UnauthenticatedError as error:
        assert not allowed
        assert data.decode("latin-1") not in str(error) or len(data) < 12
        return
    assert principal.name == "shop"
    scheme, _, key = data.partition(b" ")
    assert (scheme.lower(), key.strip(b" \t").decode()) == (b"bearer", KEY)
    assert allowed is (data == f"Bearer {KEY}".encode())


def _access_that_knows(key: str) -> Access:
    access = Access(cast("Any", _NoTable), bound_seconds=3_600.0, grace_seconds=3_600.0)
    access.following.known_at = now = time.monotonic()
    principal = Principal("0123456789ab", "shop", Scopes(("read:country",)))
    access._known = {digest_of(key.encode()): _Known(principal, now + 3_600, now)}
    return access


class _NoTable:
    """Nobody asks it: what is known is known."""

    @staticmethod
    async def edition() -> int:
        raise NotImplementedError


def scopes(data: bytes) -> None:
    """Scopes allow what a matcher that walks through star by star allows; what they cover, they allow at least."""
    first, second, third = parts_of(data, 3)
    own, others = _scopes(first), _scopes(second)
    on = third.decode("latin-1")
    for found in filter(None, (own, others)):
        assert parse_scopes(found.texts) == found
        assert found.cover(found)
        for verb in OF_TYPES:
            globs = [text.partition(":")[2] for text in found.texts if text.startswith(f"{verb}:")]
            assert found.allow(verb, on) is any(_matches(glob, on) for glob in globs)
            assert found.allow(verb, Of.SOMETHING) is bool(globs)
            assert found.allow(verb, Of.EVERYTHING) is ("*" in globs)
            assert (decide(found, [verb], on) is Decision.ALLOWED) is found.allow(verb, on)
        is_admin = "admin:*" in found.texts
        assert found.allow(Verb.ADMIN, Of.EVERYTHING) is is_admin
    if own and others and own.cover(others):
        assert all(own.allow(verb, on) for verb in OF_TYPES if others.allow(verb, on))


def _scopes(part: bytes) -> Scopes | None:
    texts = part.decode("latin-1").split(",")
    found = None
    with suppress(InvalidBodyError):
        found = parse_scopes(texts)
    assert (found is not None) is all(map(is_scope, texts))
    return found


def _matches(glob: str, text: str) -> bool:
    """By the set of places in the glob that each sign may lead to."""
    reached = _beyond_stars(glob, {0})
    for sign in text:
        stepped = {
            place + (glob[place] != "*") for place in reached if place < len(glob) and glob[place] in (sign, "*")
        }
        reached = _beyond_stars(glob, stepped)
    return len(glob) in reached


def _beyond_stars(glob: str, places: set[int]) -> set[int]:
    for place in sorted(places):
        at = place
        while at < len(glob) and glob[at] == "*":
            at += 1
            places = places | {at}
    return places


TARGETS = (
    Target(
        "key-text", key_text, (KEY.encode(), compose_key("z" * 12, "0" * 32).encode()), (b"_", b"\n", b"aside_live_")
    ),
    Target(
        "authorization",
        authorization,
        (f"Bearer {KEY}".encode(), f"bEARER  {KEY}\t".encode(), b"Basic YTpi"),
        (b"Bearer ", b" ", b"\t", b"\0", KEY.encode(), b",", b"\xff"),
    ),
    Target(
        "scopes",
        scopes,
        (joined("read:country,write:price-*", "read:c*", "country"), joined("admin:*,read:*", "read:*x*y", "axby")),
        (b"read:", b"write:", b"steer:", b"observe:", b"admin:*", b"*", b",", b"\0", b"-", b"\n", b"[a]", b"?"),
    ),
)
