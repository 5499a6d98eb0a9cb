"""A dictionary that keeps what Redis keeps, and does to it what the Lua scripts do: line by line the same decisions.

`tests/contract` compares it with real servers, step by step. Scripts are atomic, so nothing here awaits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from service.cache.grants import Grant, Granted
from service.cache.keys import HEARTBEAT, WATERMARK, cache_key, label_of
from service.cache.store import NO_GENERATION, Change, Effect, Mode

_HEADER = 256
_VERSIONED = re.compile(rb"[VN]1 ([0-9]+) ([^\s]+) [0-9]")
_LEASED = re.compile(rb"L1 ([^\s]+) ([0-9]+)")
_APPLIED_BY = re.compile(rb"([0-9]+)\.([0-9]+)\|")


class Foreign:
    """A value of a type that is not a string: somebody else's data at our key."""


@dataclass(slots=True)
class Kept:
    value: bytes | Foreign
    dies_at_ms: int | None


class MemoryServer:
    """One instance: its strings, its clock, its name. Restarting gives it another name."""

    def __init__(self, now_ms: Callable[[], int], *, run_id: bytes = b"a" * 40) -> None:
        self.now_ms = now_ms
        self.run_id = run_id
        self._kept: dict[str, Kept] = {}

    # -- commands ------------------------------------------------------------------------------------------------

    def kept(self, key: str) -> Kept | None:
        found = self._kept.get(key)
        if found is not None and found.dies_at_ms is not None and found.dies_at_ms <= self.now_ms():
            del self._kept[key]
            return None
        return found

    def get(self, key: str) -> bytes | None:
        """The string; None where there is none, as MGET answers for other types too."""
        found = self.kept(key)
        return found.value if found is not None and isinstance(found.value, bytes) else None

    def set(self, key: str, value: bytes | Foreign, *, dies_at_ms: int | None = None) -> None:
        self._kept[key] = Kept(value, dies_at_ms)

    def unlink(self, key: str) -> bool:
        there = self.kept(key) is not None
        self._kept.pop(key, None)
        return there

    def flush(self) -> None:
        self._kept.clear()

    def keys(self) -> list[str]:
        return sorted(key for key in list(self._kept) if self.kept(key) is not None)

    def beat(self, generation: bytes, *, run_id: bytes | None = None, dies_at_ms: int | None = None) -> None:
        """A heartbeat of this server, or in the name of another one."""
        self.set(HEARTBEAT, (run_id or self.run_id) + b"|" + generation, dies_at_ms=dies_at_ms)

    # -- scripts -------------------------------------------------------------------------------------------------

    def lease(self, name: str, token: bytes, purpose: str, lease_ms: int, before: bytes | None = None) -> int | bytes:
        """`lease.lua` for one key, where there is a heartbeat."""
        key = cache_key(name)
        current = (self.get(HEARTBEAT) or b"").partition(b"|")[2]
        head = self._header(key)
        lease, versioned = _LEASED.match(head or b""), _VERSIONED.match(head or b"")
        if lease is not None and lease[1] != before:
            return 0
        if versioned is not None and versioned[2] == label_of(current, name):
            return (self.get(key) or b"") if purpose == "read" else 2
        self.set(key, b"L1 " + token + b" 0\n", dies_at_ms=self.now_ms() + lease_ms)
        return 1

    def fill(self, name: str, token: bytes, version: int, payload: bytes, stale_until_ms: int) -> bool:
        """`fill.lua` for one key."""
        key = cache_key(name)
        lease = _LEASED.match(self._header(key) or b"")
        if lease is None or lease[1] != token:
            return False
        if version < int(lease[2]):
            self.unlink(key)
            return False
        self.set(key, payload, dies_at_ms=stale_until_ms)
        return True

    def apply(self, change: Change) -> Effect:
        """`apply` of `entry.lua`."""
        key = cache_key(change.name)
        mode = Mode.DROP if change.install is None else Mode.RENEW if change.renew else Mode.REPLACE
        head = self._header(key)
        if head == b"":
            return Effect.ABSENT
        lease = _LEASED.match(head or b"")
        if lease and change.generation != NO_GENERATION:
            if change.version > int(lease[2]):
                kept = self.kept(key)
                raised = b"L1 " + lease[1] + b" %d\n" % change.version
                self.set(key, raised, dies_at_ms=kept.dies_at_ms if kept else None)
            return Effect.RAISED
        versioned = _VERSIONED.match(head or b"")
        if versioned is not None and versioned[2] == change.generation:
            held = int(versioned[1])
            if held > change.version or (held == change.version and mode is not Mode.RENEW):
                return Effect.KEPT
            if change.install is not None:
                self.set(key, change.install.payload, dies_at_ms=change.install.stale_until_ms)
                return Effect.REPLACED
        self.unlink(key)
        return Effect.DROPPED

    def grant(self, grant: Grant, run_id: bytes) -> Granted:
        """`grant.lua`. ``run_id`` is of the server that the poll began with."""
        if run_id != self.run_id:
            return Granted.RESTARTED
        found = _APPLIED_BY.match(self.get(WATERMARK) or b"")
        if found is not None and (grant.term, grant.poll) < (int(found[1]), int(found[2])):
            return Granted.SUPERSEDED
        generation = grant.generation.encode()
        for name, version in zip(grant.names, grant.versions, strict=True):
            self.apply(Change(name, version, label_of(generation, name)))
        if not grant.horizon:
            return Granted.APPLIED
        if grant.dies_at_ms <= self.now_ms():
            return Granted.LATE
        self.set(WATERMARK, f"{grant.term}.{grant.poll}|{grant.generation.partition(' ')[0]}|{grant.horizon}".encode())
        self.beat(generation, dies_at_ms=grant.dies_at_ms)
        return Granted.GRANTED

    def _header(self, key: str) -> bytes | None:
        """Empty where the key is absent, None where it is not a string."""
        found = self.kept(key)
        if found is None:
            return b""
        return found.value[:_HEADER] if isinstance(found.value, bytes) else None
