"""What stands in Redis: names and labels, entries, the short judgement of a hit, heartbeats, watermarks."""

from __future__ import annotations

import re

from service.api.hot_answers import answered_head, hit_head
from service.cache.codec import decode, encode, is_lease
from service.cache.entry import Entry
from service.cache.grants import read_watermark
from service.cache.keys import HEARTBEAT, WATERMARK, cache_key, label_of, name_of, refresh_key, split
from service.cache.plain_hit import plain_hit
from service.cache.policy import Policy, Verdict, judge, may_serve_stale
from service.cache.redis_store import readings_of
from service.cache.visit import answer_entry
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN
from tests.fuzz.target import Target, joined, number_in, parts_of

NAME, OTHER, GENERATION = "country:JP", "country:JPN", b"c0ffee0123.7"
_TYPE, _ID = re.compile(ENTITY_TYPE_PATTERN), re.compile(ENTITY_ID_PATTERN)
_NOW_MS = 1_764_000_000_000


def entries(*bodies: bytes | None) -> list[bytes]:
    """As the service writes them."""
    moments = (_NOW_MS - 5_000, _NOW_MS + 295_000, _NOW_MS + 300_000, _NOW_MS - 90_000)
    return [encode(Entry(7, GENERATION, 12, *moments, body), NAME) for body in bodies]


def keys(data: bytes) -> None:
    """A name is taken apart into what it was made of, its keys are no others', and its label is that of its type."""
    first, second, generation = parts_of(data, 3)
    entity_type, entity_id = first.decode("latin-1"), second.decode("latin-1")
    if not _TYPE.fullmatch(entity_type) or not _ID.fullmatch(entity_id):
        return
    name = name_of(entity_type, entity_id)
    assert split(name) == (entity_type, entity_id)
    assert name.isascii()
    assert not re.search(r"\s", name)  # the header of an entry is parted by blanks, and ends with its line
    assert len({cache_key(name), refresh_key(name), HEARTBEAT, WATERMARK}) == 4
    label = label_of(generation, name)
    assert label == _label_by_looking(generation, entity_type)
    assert readings_of([name, name], [None, b""], generation) == [(None, label), (b"", label)]


def _label_by_looking(generation: bytes, entity_type: str) -> bytes:
    """The slow way: every type that was given up, with its number; the first one said counts."""
    base, *given_up = generation.split(b" ")
    for each in given_up:
        named, colon, number = each.partition(b":")
        if colon and named == entity_type.encode():
            return base + b"." + number
    return base


def codec(data: bytes) -> None:
    """Foreign bytes are nothing. What is an entry has its own name, can be written again, and can be used."""
    entry = decode(data, NAME)
    if entry is None:
        return
    assert not is_lease(data)
    assert decode(data, OTHER) is None
    head, _, body = data.partition(b"\n")
    assert entry.body == (body if data.startswith(b"V1") else None)
    assert head.endswith(b" " + NAME.encode())
    if entry.generation.isascii():
        assert decode(encode(entry, NAME), NAME) == entry
    for draw in (2**-53, 0.5, 1.0):
        judge(entry, _NOW_MS, draw, 10.0)
    may_serve_stale(Policy(), entry, _NOW_MS, 60.0)
    answered_head(answer_entry(entry, _NOW_MS, 0.25), 2, b"r")


def hit(data: bytes) -> None:
    """Whatever the short judgement answers, the careful one answers too, whatever it draws."""
    now, tenths, thousandths, raw = parts_of(data, 4)
    now_ms, beta = number_in(now, 0, 2 * _NOW_MS), number_in(tenths, 0, 100) / 10
    draw = max(number_in(thousandths, 0, 1_000) / 1_000, 2**-53)
    answer = plain_hit(raw, NAME, GENERATION, now_ms, beta, 0.25)
    entry = decode(raw, NAME)
    if answer is None:
        assert entry is None or _is_not_plain(entry, now_ms, beta)
        return
    assert entry is not None
    assert entry.generation == GENERATION
    assert all(judge(entry, now_ms, each, beta) is Verdict.FRESH for each in (draw, 2**-53, 1.0))
    assert answer == answer_entry(entry, now_ms, 0.25)
    hit_head(answer, None, b"r")


def _is_not_plain(entry: Entry, now_ms: int, beta: float) -> bool:
    """Whether there is a reason for the careful way: another label, no value, or an end that a draw may reach."""
    left_ms = entry.fresh_until_ms - now_ms
    is_near = left_ms <= 1_000 + entry.cost_ms or left_ms <= 37 * beta * max(10, entry.cost_ms)
    return entry.generation != GENERATION or entry.body is None or is_near


def watermark(data: bytes) -> None:
    """What is no watermark is none; what is one is two texts that the grant script can be told again."""
    found = read_watermark(data)
    if found is None:
        return
    again = f"1.2|{found.generation}|{found.horizon}"
    assert read_watermark(again.encode()) == found
    assert not re.search(r"[\s|]", found.generation + found.horizon)


_ENTRIES = tuple(entries(b'{"name": "Japan"}', b"", b"\n\n", None))
_HEADS = (b"V1 ", b"N1 ", b"L1 ", b" ", b"\n", b"-", b"_", b"9" * 30, NAME.encode(), GENERATION)
TARGETS = (
    Target(
        "keys",
        keys,
        (joined("country", "JP", "g.1 country:7 country-code:9"), joined("a", "b:c", GENERATION)),
        (b"country:7", b" ", b":", b"\0", b"."),
    ),
    Target("codec", codec, (*_ENTRIES, b"L1 token 0\n"), _HEADS),
    Target("hit", hit, tuple(joined(_NOW_MS, 10, 500, entry) for entry in _ENTRIES), (*_HEADS, b"\0")),
    Target(
        "watermark",
        watermark,
        (b"7.41|c0ffee0123.7|700:720:701,703", b"0.0|g.1|1:1:"),
        (b"|", b".", b":", b",", b"\xff"),
    ),
)
