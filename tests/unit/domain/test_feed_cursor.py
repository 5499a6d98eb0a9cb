"""How a place in the feed is written: what is encoded is decoded, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.feed import Cursor, Rest, Seen
from service.domain.feed_cursor import decode_cursor, encode_cursor

MARKS = st.binary(min_size=8, max_size=8).map(bytes.hex)
LARGEST = 2**63 - 1


@st.composite
def places(draw: st.DrawFn, at_least: int = 1) -> Seen:
    before = draw(st.integers(at_least, LARGEST))
    still_open = draw(st.sets(st.integers(1, before - 1), max_size=20)) if before > 1 else set()
    return Seen(before, tuple(sorted(still_open)))


@st.composite
def cursors(draw: st.DrawFn) -> Cursor:
    seen = draw(places())
    rests = st.builds(Rest, places(at_least=seen.before), st.integers(0, LARGEST), st.integers(0, LARGEST))
    return Cursor(draw(MARKS), seen, draw(st.none() | rests))


@given(cursors())
def test_a_place_is_the_same_after_it_was_written_and_read(cursor: Cursor):
    assert decode_cursor(encode_cursor(cursor)) == cursor


@given(cursors(), st.data())
def test_one_character_that_is_another_is_found(cursor: Cursor, data: st.DataObject):
    text = encode_cursor(cursor)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AZaz09_-+/= \x00é").filter(lambda each: each != text[place]))
    with pytest.raises(ValueError, match="is no cursor"):
        decode_cursor(text[:place] + other + text[place + 1 :])


@given(cursors(), st.data())
def test_what_was_cut_off_or_has_more_behind_it_is_found(cursor: Cursor, data: st.DataObject):
    text = encode_cursor(cursor)
    for wrong in (text[: data.draw(st.integers(0, len(text) - 1))], f"{text}A", f"{text}=", f"A{text}", f"{text}\n"):
        with pytest.raises(ValueError, match="is no cursor"):
            decode_cursor(wrong)


@given(st.text() | st.text("Aabz09_-", min_size=20))
def test_what_nobody_has_encoded_is_none(text: str):
    with pytest.raises(ValueError, match="is no cursor"):
        decode_cursor(text)


IMPOSSIBLE = {
    "a transaction before the first": Cursor("00" * 8, Seen(5, (0,))),
    "twice the same": Cursor("00" * 8, Seen(5, (3, 3))),
    "open beyond the end": Cursor("00" * 8, Seen(5, (5,))),
    "until before it begins": Cursor("00" * 8, Seen(5), Rest(Seen(4), 1, 2)),
    "too large": Cursor("00" * 8, Seen(2**63)),
    "too large a version": Cursor("00" * 8, Seen(5), Rest(Seen(6), 2**63, 1)),
}


@pytest.mark.parametrize("cursor", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_place_that_postgresql_cannot_have_told_is_refused(cursor: Cursor):
    with pytest.raises(ValueError, match="is no cursor"):
        decode_cursor(encode_cursor(cursor))


def test_a_usual_one_is_short():
    assert len(encode_cursor(Cursor("4def8ca12705f64a", Seen(250_000_000)))) <= 25
    many = Seen(250_000_000, tuple(range(249_990_000, 250_000_000, 100)))
    assert len(encode_cursor(Cursor("00" * 8, many))) < 200
