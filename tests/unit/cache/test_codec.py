"""The bytes of an entry: what goes in comes out, and nothing else ever does."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from service.cache.codec import decode, encode, is_lease
from service.cache.entry import EARLIEST_MS, END_MS, Entry
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN
from tests.support.quick import quick

numbers = st.integers(0, 2**53 - 1)
moments = st.integers(EARLIEST_MS, END_MS - 1)
names = st.builds(
    "{}:{}".format, st.from_regex(ENTITY_TYPE_PATTERN, fullmatch=True), st.from_regex(ENTITY_ID_PATTERN, fullmatch=True)
)
generations = st.from_regex(rb"[0-9a-f]{10}\.[0-9]{1,6}", fullmatch=True)
entries = st.builds(
    Entry, numbers, generations, numbers, numbers, numbers, numbers, moments, st.none() | st.binary(max_size=60)
)
ENTRY = Entry(41, b"c0ffee0123.1", 3, 1000, 2000, 3000, 500, '{"name": "Ĳsland\n"}'.encode())
NAME = "country:IS"


@quick(80)
@given(entries, names)
@example(ENTRY, NAME)
@example(Entry(1, b"g.1", 1, 1, 1, 1, 1, b""), NAME)
@example(Entry(1, b"g.1", 1, 1, 1, 1, 1, b"\nV1 2"), NAME)
def test_what_is_encoded_is_decoded(entry: Entry, name: str):
    assert decode(encode(entry, name), name) == entry


@quick(80)
@given(entries, names, names)
def test_the_value_of_another_key_is_nothing(entry: Entry, name: str, other: str):
    assume(name != other)
    assert decode(encode(entry, name), other) is None


@quick(150)
@given(st.binary(max_size=120))
@example(b"")
@example(b"V1 ")
@example(b"V1 1 2 3 4 5 6 7 country:IS")
@example(b"V1 x g.1 3 4 5 6 7 country:IS\n1")
@example(b"V1 \xd9\xa1 g.1 3 4 5 6 7 country:IS\n1")
@example(b"V2 1 g.1 3 4 5 6 7 country:IS\n1")
@example(b"L1 token 0\n")
def test_foreign_bytes_are_nothing_and_raise_nothing(raw: bytes):
    assert decode(raw, NAME) is None


@quick(80)
@given(st.integers(0, 60))
def test_a_header_that_was_cut_short_is_nothing(length: int):
    header = encode(ENTRY, NAME).partition(b"\n")[0]
    assert decode(header[:length], NAME) is None


@quick(80)
@given(st.data())
def test_a_damaged_header_is_another_number_or_nothing_and_raises_nothing(data: st.DataObject):
    raw = bytearray(encode(ENTRY, NAME))
    header_length = raw.index(b"\n")
    at = data.draw(st.integers(0, header_length))
    raw[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    decoded = decode(bytes(raw), NAME)
    assert decoded is None or isinstance(decoded.version, int)
    if raw[:3] not in (b"V1 ", b"N1 ") or at >= header_length - len(NAME):
        assert decoded is None


@pytest.mark.parametrize("field", ["cost_ms", "written_at_ms", "fresh_until_ms", "stale_until_ms", "modified_at_ms"])
def test_a_number_that_nothing_can_be_reckoned_with_is_damage(field: str):
    assert decode(encode(ENTRY._replace(**{field: 10**400}), NAME), NAME) is None


@pytest.mark.parametrize("modified_at_ms", [EARLIEST_MS - 1, END_MS, 10**17])
def test_a_moment_that_http_has_no_date_for_is_damage(modified_at_ms: int):
    assert decode(encode(ENTRY._replace(modified_at_ms=modified_at_ms), NAME), NAME) is None


def test_an_entry_with_the_longest_names_and_numbers_is_one():
    name = f"{'t' * 63}:{'i' * 255}"
    entry = Entry(2**63 - 1, b"c" * 24 + b".9999999999.9999999999", *[2**53] * 4, END_MS - 1, b"{}")
    assert decode(encode(entry, name), name) == entry


def test_an_entry_can_be_read_by_people():
    assert encode(ENTRY, NAME) == b"V1 41 c0ffee0123.1 3 1000 2000 3000 500 country:IS\n" + (ENTRY.body or b"")


def test_absence_is_an_entry_with_no_body_and_unlike_an_empty_one():
    absent = Entry(41, b"g.1", 3, 1, 2, 3, 4, None)
    empty = Entry(41, b"g.1", 3, 1, 2, 3, 4, b"")
    assert encode(absent, NAME).startswith(b"N1 41 ")
    assert encode(absent, NAME) != encode(empty, NAME)


@pytest.mark.parametrize(("raw", "is_one"), [(b"L1 token 0\n", True), (encode(ENTRY, NAME), False), (b"L2 x 0", False)])
def test_a_lease_is_told_from_an_entry(raw: bytes, is_one: bool):  # noqa: FBT001 (a parameter)
    assert is_lease(raw) is is_one
    assert not is_one or decode(raw, NAME) is None
