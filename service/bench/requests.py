"""The bytes of the next request: which kind, of which key. Reproducible by the plan's seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

from service.bench.mix import Kind, chooser_of_keys, chooser_of_kinds
from service.bench.plan import Plan

_HOLE = "\0"
"""Where an id goes, or a serial number: no request has this sign of its own."""
_SERIAL_DIGITS = 12
_JSON = "Content-Type: application/json"

Maker = Callable[[int], bytes]
"""From a key's place to a request."""


class Prepared(NamedTuple):
    """``kind`` is a place in the plan's mix; ``key`` a place among its ids."""

    kind: int
    key: int
    data: bytes


class Requests:
    """Endless. One for each process: they draw differently, and write different bodies."""

    def __init__(self, plan: Plan, process: int) -> None:
        self._draw = random.Random(f"{plan.seed}:{process}").random  # noqa: S311 (no secrets here)
        self._kinds = chooser_of_kinds(plan.mix)
        self._keys = chooser_of_keys(len(plan.subject.ids), plan.distribution, plan.zipf_s)
        self._etags: dict[int, bytes] = {}
        # A quoted id is as it was, if an entity can have it.
        ids = [quote(name, safe="~:@").encode() for name in plan.subject.ids]
        self._makers = [self._maker(share.kind, plan, ids, process) for share in plan.mix]
        self._learns = any(share.kind is Kind.CONDITIONAL for share in plan.mix)

    def next(self) -> Prepared:
        kind = self._kinds.pick(self._draw()) if len(self._makers) > 1 else 0
        key = self._key()
        return Prepared(kind, key, self._makers[kind](key))

    def learn(self, key: int, etag: bytes) -> None:
        """What a conditional read of this key will say that it has."""
        if self._learns:
            self._etags[key] = etag

    def _key(self) -> int:
        return self._keys.pick(self._draw())

    def _maker(self, kind: Kind, plan: Plan, ids: list[bytes], process: int) -> Maker:
        match kind:
            case Kind.READS:
                return _reads(plan, ids)
            case Kind.CONDITIONAL:
                return _conditional_reads(plan, ids, self._etags)
            case Kind.ABSENT:
                return _reads_of_absent(plan)
            case Kind.WRITES:
                return _writes(plan, ids, process)
            case Kind.BATCH:
                return _batch_reads(plan, ids, self._key)


def document(body_bytes: int, serial: str = "0" * _SERIAL_DIGITS) -> str:
    """A JSON object of about this many bytes: a serial number, and letters."""
    empty = len(document_of("", serial))
    return document_of("x" * max(0, body_bytes - empty), serial)


def document_of(filler: str, serial: str) -> str:
    return f'{{"filler": "{filler}", "serial": "{serial}"}}'


def _reads(plan: Plan, ids: list[bytes]) -> Maker:
    around = _around(_head(plan, "GET", plan.subject.path))
    return lambda key: ids[key].join(around)


def _conditional_reads(plan: Plan, ids: list[bytes], etags: dict[int, bytes]) -> Maker:
    """An ordinary read where no ETag has been seen yet."""
    plain = _reads(plan, ids)
    head = _head(plan, "GET", plan.subject.path, "If-None-Match: ")
    around = _around(head.removesuffix("\r\n\r\n"))

    def make(key: int) -> bytes:
        etag = etags.get(key)
        return plain(key) if etag is None else b"%b%b\r\n\r\n" % (ids[key].join(around), etag)

    return make


def _reads_of_absent(plan: Plan) -> Maker:
    """As many keys as there are ids, none of which exists."""
    around = _around(_head(plan, "GET", plan.subject.path))
    return lambda key: (b"aside-bench-absent-%d" % key).join(around)


def _writes(plan: Plan, ids: list[bytes], process: int) -> Maker:
    """No two bodies are the same."""
    serials = count()
    body = document(plan.body_bytes, _HOLE * _SERIAL_DIGITS)
    before, after = body.split(_HOLE * _SERIAL_DIGITS)
    around = _around(_head(plan, "PUT", plan.subject.path, _JSON, f"Content-Length: {len(body)}") + before)
    end = after.encode()
    return lambda key: b"%b%02d%010d%b" % (ids[key].join(around), process, next(serials), end)


def _batch_reads(plan: Plan, ids: list[bytes], other_key: Callable[[], int]) -> Maker:
    """The key itself, and others."""
    assert plan.subject.batch_path is not None
    head = _head(plan, "POST", plan.subject.batch_path, _JSON).encode().removesuffix(b"\r\n")
    member, others = plan.subject.batch_member.encode(), range(plan.batch_size - 1)

    def make(key: int) -> bytes:
        names = b'", "'.join([ids[key], *[ids[other_key()] for _ in others]])
        body = b'{"%b": ["%b"]}' % (member, names)
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)

    return make


def _around(text: str) -> list[bytes]:
    """The bytes before, between and after the ids: `id.join(…)` puts them together, and is as quick as can be."""
    return [piece.encode() for piece in text.split(_HOLE)]


def _head(plan: Plan, method: str, path: str, *lines: str) -> str:
    """A request up to the end of its headers, with a hole for each id."""
    where = f"{plan.target.prefix}{path.replace('{id}', _HOLE)}"
    said = [f"{name}: {value}" for name, value in plan.target.headers.items()]
    return "\r\n".join([f"{method} {where} HTTP/1.1", f"Host: {plan.target.authority}", *said, *lines, "", ""])
