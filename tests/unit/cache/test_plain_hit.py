"""A hit that nothing is decided about is what the careful way would answer, whatever the draw, and no more."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.cache.codec import decode, encode
from service.cache.entry import Entry
from service.cache.plain_hit import plain_hit
from service.cache.policy import Verdict, judge
from service.cache.visit import answer_entry
from tests.support.quick import quick

NAME, GENERATION = "country:JP", b"history.7"
ENTRY = Entry(7, GENERATION, 12, 1_000, 301_000, 301_000, 500, b'{"name": "Japan"}')


def plain(raw: bytes, *, name: str = NAME, generation: bytes = GENERATION, now_ms: int = 61_000, beta: float = 1.0):
    return plain_hit(raw, name, generation, now_ms, beta, 0.3)


@quick(500)
@given(
    now_ms=st.integers(0, 10_000_000),
    left_ms=st.integers(-10, 500_000),
    cost_ms=st.integers(1, 20_000),
    beta=st.floats(0, 10),
    draw=st.floats(2**-53, 1),
    body=st.none() | st.binary(max_size=30),
)
@example(now_ms=61_000, left_ms=240_000, cost_ms=12, beta=1.0, draw=2**-53, body=b"{}")
@example(now_ms=61_000, left_ms=37 * 12 * 10 + 1, cost_ms=12, beta=10.0, draw=2**-53, body=b"{}")
@example(now_ms=61_000, left_ms=1_013, cost_ms=12, beta=0.0, draw=0.5, body=b"\n\n")
def test_whatever_it_answers_the_careful_way_answers_too(
    *, now_ms: int, left_ms: int, cost_ms: int, beta: float, draw: float, body: bytes | None
):
    fresh = now_ms + left_ms
    entry = Entry(7, GENERATION, cost_ms, max(0, now_ms - 5), fresh, fresh + 9, 500, body)
    raw = encode(entry, NAME)
    answer = plain(raw, now_ms=now_ms, beta=beta)
    if answer is not None:
        assert judge(entry, now_ms, draw, beta) is Verdict.FRESH
        assert answer == answer_entry(entry, now_ms, 0.3)


def test_an_entry_in_the_middle_of_its_life_is_one():
    assert plain(encode(ENTRY, NAME)) == answer_entry(ENTRY, 61_000, 0.3)


@quick(500)
@given(at=st.integers(0, 120), put=st.binary(min_size=1, max_size=3), insert=st.booleans())
def test_damaged_bytes_are_never_more_than_the_careful_way_takes_them_for(*, at: int, put: bytes, insert: bool):
    raw = encode(ENTRY, NAME)
    damaged = raw[:at] + put + raw[at if insert else at + len(put) :]
    answer = plain(damaged)
    if answer is not None:
        entry = decode(damaged, NAME)
        assert entry is not None
        assert entry.generation == GENERATION
        assert answer == answer_entry(entry, 61_000, 0.3)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"L1 token 0\n",
        encode(ENTRY._replace(body=None), NAME),
        encode(ENTRY, "country:FR"),
        encode(ENTRY._replace(generation=b"history.8"), NAME),
        encode(ENTRY._replace(fresh_until_ms=61_900), NAME),
        encode(ENTRY, NAME).replace(b"V1", b"V2"),
        encode(ENTRY, NAME).partition(b"\n")[0],
        encode(ENTRY, NAME).replace(b" 7 ", b" x ", 1),
        encode(ENTRY._replace(cost_ms=10**400, fresh_until_ms=10**401), NAME),
        encode(ENTRY._replace(modified_at_ms=10**17), NAME),
    ],
)
def test_what_is_not_clearly_one_is_none(raw: bytes):
    assert plain(raw) is None
