"""Bodies that ask for many things at once: names to read, writes; and the lines and tables of an import."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from typing import Any

from service.api.batch_write_forms import writes_of
from service.api.batches import asked_for, odd_names, plain_names
from service.api.entity_lists import batch_of
from service.api.forms import form_of
from service.api.steering_forms import PurgeForm, WarmForm
from service.cli.importing_source import Source
from service.db.importing import Progress
from service.domain.document import check_document
from service.domain.exact_json import parse_exact
from service.domain.interchange import FIELDS, Format, Given, Rules
from service.domain.parameter import PARAMETER
from service.errors import InvalidBodyError, InvalidInputError
from tests.fuzz.target import Target

_DEPTH = 8
_RULES = Rules(entity_type="book", body_bytes=4_096, json_depth=_DEPTH, ttl_seconds=86_400.0)


def names(data: bytes) -> None:
    """What is read of a body in one pass is what the careful reader reads, and names are told apart as one by one."""
    fast = plain_names(data, "ids")
    careful = None
    with suppress(InvalidInputError):
        check_document(data, max_depth=_DEPTH)
        careful = odd_names(data, batch_of("country"))
    assert not fast or fast == careful
    for found in filter(None, (fast, careful)):
        asked = asked_for(found)
        assert asked.names == found
        assert asked.possible == [name for name in found if asked_for([name]).possible]


def writes(data: bytes) -> None:
    """A batch of writes is refused by place, or has the documents that were sent, each digit of them."""
    try:
        check_document(data, max_depth=_DEPTH + 3)
    except InvalidInputError:
        return
    for model in (PurgeForm, WarmForm):
        with suppress(InvalidBodyError):
            form_of(data, model).wanted()
    tree = parse_exact(data.decode())
    try:
        batch = writes_of(data, ttl_seconds_max=86_400.0)
    except InvalidBodyError as error:
        assert error.faults
        return
    assert len(batch) == len(tree["writes"])
    for write, asked in zip(batch, tree["writes"], strict=True):
        assert (write.verb, write.key) == (asked["op"], (asked["entity_type"], asked["id"]))
        assert (write.document is None) is ("body" not in asked)
        assert write.document is None or parse_exact(write.document) == asked["body"]


def line(data: bytes) -> None:
    """A line is refused, or its body is the document that stands in it."""
    try:
        given = _RULES.read_line(data)
    except InvalidInputError as error:
        assert str(error)
        return
    members = parse_exact(data.decode())
    _check(given, members)
    if given.entity_type != PARAMETER:
        assert parse_exact(given.body) == members["body"]


def table(data: bytes) -> None:
    """A table is refused, or has records that are refused one by one; going on behind any of them misses none."""
    source = Source(io.BytesIO(data), Format.CSV) if _has_columns(data) else None
    if source is None:
        return
    found: list[tuple[int, int, bytes]] = []
    places: list[Progress] = []
    with suppress(InvalidInputError):
        for chunk in source.chunks(1, 1 << 20):
            [item] = chunk
            found.append((item.record, item.line, item.raw))
            places.append(source.place)
            with suppress(InvalidInputError):
                _check(_RULES.read_row(item.cells or {}), item.cells or {})
        again = Source(io.BytesIO(data), Format.CSV)
        if places:
            again.go_on_from(places[len(places) // 2])
            rest = [(item.record, item.line, item.raw) for [item] in again.chunks(1, 1 << 20)]
            assert rest == found[len(places) // 2 + 1 :]


def _has_columns(data: bytes) -> bool:
    try:
        Source(io.BytesIO(data), Format.CSV)
    except InvalidInputError:
        return False
    return True


def _check(given: Given, members: Any) -> None:
    assert given.entity_type == members.get("entity_type", "book") or not members.get("entity_type")
    assert given.id == members["id"]
    assert given.ttl_seconds is None or 0 < given.ttl_seconds <= 86_400
    check_document(given.body.encode(), max_depth=_DEPTH)


def _rows(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows((FIELDS, *rows))
    return text.getvalue().encode()


_JSON = (
    *(b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b'"a"', b"1", b"e9", b".5", b"true", b"null", b" ", b"\n"),
    *(b"\\u0062", b"\\u0069ds", b"\xef\xbb\xbf", b"\\ud83d", "日本".encode()),
)
_WRITES = (
    b'{"writes": [{"op": "put", "entity_type": "book", "id": "dune", "body": {"n": [1.50, "]}"]}},'
    b' {"op": "delete", "entity_type": "book", "id": "x", "if_match": "\\"7\\""}]}',
    b'{"writes":[{"body":1e400,"id":"a","entity_type":"b","op":"patch","ttl_seconds":1e2}]}',
    b'{"entity_types": ["book"], "prefix": "a", "rows_per_second": 100}',
    b'{"entity_type": "book", "ids": ["dune"], "dry_run": true}',
)
_LINES = (
    b'{"entity_type": "book", "id": "dune", "version": 7, "updated_at": "x", "ttl_seconds": 6e1, "body": {"n": 1.50}}',
    b'{"body":{"body":1},"id":"a:b"}\r\n',
    b'{"id": "app:x", "entity_type": "parameter", "b\\u006fdy": {"type": "integer", "value": 5}}',
)
TARGETS = (
    Target(
        "names",
        names,
        (b'{"ids": ["JP", "a:b"]}', b' {\n"ids"\t: ["JP"\r,"\\u0041" ] }\n'),
        (*_JSON, b'"ids"', b'"JP"'),
    ),
    Target(
        "writes", writes, _WRITES, (*_JSON, b'"op"', b'"body"', b'"put"', b'"if_match"', b'"ttl_seconds"', b'"ids"')
    ),
    Target("line", line, _LINES, (*_JSON, b'"body"', b'"id"', b'"ttl_seconds"', b'"parameter"', b'{"body": 1}')),
    Target(
        "table",
        table,
        (
            _rows(("book", "dune", "7", "x", "", '{"n": 1.50, "t": "a\nb"}'), ("", "x", "", "", "1e2", "1")),
            b"body,id\r\n1,a\r\n",
        ),
        (b'"', b",", b"\n", b"\r\n", b"\r", b'""', b"id", b"body", b"\xff", b"\0", b"1e9"),
    ),
)
