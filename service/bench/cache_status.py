"""What Cache-Status (RFC 9211) says of an answer, in the words of `aside_cache_requests_total`. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

FROM_CACHE = frozenset({"hit", "negative_hit"})
READ_OUTCOMES = ("hit", "negative_hit", "stale", "miss", "bypass", "off")
_UNUSABLE = frozenset({"cache-off", "cache-unreachable"})
_MISSES = frozenset({"uri-miss", "vary-miss", "miss", "stale", "partial"})
# A quoted string may hold the signs that would otherwise separate.
_MEMBERS = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_PARTS = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*")+')


@lru_cache(maxsize=4096)
def outcome_of(cache_status: bytes, status: int) -> str:
    """One of `READ_OUTCOMES`, or "other" for what the header does not say in RFC 9211's words.

    Of several caches the last counts: it is the one nearest to the client.
    """
    members = _MEMBERS.findall(cache_status.decode("latin-1"))
    parts = _PARTS.findall(members[-1])[1:] if members else []  # the first is the cache's name
    told = {name.strip(): value.strip(' "') for name, _, value in (part.partition("=") for part in parts)}
    if told.get("detail") in _UNUSABLE:
        return "off"
    if "hit" in told and told["hit"] != "?0":
        if told.get("ttl", "").startswith("-"):
            return "stale"
        return "negative_hit" if status == 404 else "hit"
    if told.get("fwd") in _MISSES:
        return "miss"
    return "bypass" if "fwd" in told else "other"
