"""Which bytes are a document."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.document import check_document
from service.domain.document_faults import LOCATED_CHARACTERS_MAX
from service.errors import InvalidInputError, MalformedJsonError, UnacceptableDocumentError

MAX_DEPTH = 64
MEBIBYTE = 1 << 20

strings = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | strings
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4), max_leaves=30
)


def check(raw: bytes) -> None:
    check_document(raw, max_depth=MAX_DEPTH)


def refused(raw: bytes) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as refusal:
        check(raw)
    return refusal.value


def depth_of(value: object) -> int:
    match value:
        case dict():
            return 1 + max(map(depth_of, value.values()), default=0)
        case list():
            return 1 + max(map(depth_of, value), default=0)
        case _:
            return 0


@given(value=values, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
@example(value="\\", ascii_only=False, indent=None)
@example(value={'"': ["\\", '\\"', "[[[", "{"]}, ascii_only=False, indent=None)
def test_whatever_a_program_writes_as_json_is_accepted(value: Any, *, ascii_only: bool, indent: int | None) -> None:
    check(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode())


@given(values, st.integers(min_value=0, max_value=6))
def test_depth_is_counted_exactly(value: Any, limit: int) -> None:
    raw = json.dumps(value, ensure_ascii=False).encode()
    if depth_of(value) <= limit:
        check_document(raw, max_depth=limit)
    else:
        with pytest.raises(UnacceptableDocumentError, match="nested deeper"):
            check_document(raw, max_depth=limit)


def _python_reads(raw: bytes) -> bool:
    def refuse(_: str) -> None:
        raise ValueError

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        value = json.loads(raw.decode(), parse_constant=refuse, parse_int=Decimal, object_pairs_hook=members)
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except ValueError:
        return False
    return True


fragments = st.sampled_from(
    ["[", "]", "{", "}", ",", ":", '"', "\\", '"a"', '"b"', '{"a":1}', "[1]", '"\\\\"', '"\\""', "true", "null", "NaN"]
) | st.sampled_from(
    ["1", "-", ".5", "e1", "00", " ", "\n", "\x01", "é", "\ufeff", "\\u", "d800", "\\ud83d\\ude00", "\\u0041"]
)


@given(st.lists(fragments, max_size=12).map("".join))
def test_what_is_json_is_decided_as_by_the_parser_that_knows_it(text: str) -> None:
    raw = text.encode()
    try:
        check(raw)
        accepted = True
    except UnacceptableDocumentError:
        return
    except MalformedJsonError:
        accepted = False
    assert accepted is _python_reads(raw)


@given(st.binary(max_size=60))
def test_any_bytes_are_accepted_or_refused_for_a_reason(raw: bytes) -> None:
    try:
        check(raw)
    except InvalidInputError as error:
        reason = str(error)
        assert reason
    else:
        assert _python_reads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"nul",
        b"'a'",
        b"1 2",
        b"[1,]",
        b'{"a":1,}',
        b"{1:2}",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"0x1",
        b"NaN",
        b"[Infinity]",
        b'{"a":-Infinity}',
        b'"\n"',
        b'"\\x"',
        b'"\\u12"',
        b'"open',
        b"\xef\xbb\xbf1",
        b'"\xff"',
        '"é"'.encode("latin-1"),
        '"x"'.encode("utf-16"),
        b'"\xed\xa0\x80"',
        b'"\xc0\x80"',
        b"// comment\n1",
    ],
)
def test_what_is_not_json_is_malformed(raw: bytes) -> None:
    assert isinstance(refused(raw), MalformedJsonError)


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"a":1,"a":1}', "/a"),
        (b'{"a":1,"\\u0061":2}', "/a"),
        (b'[0,{"x":{"m~n/o":[],"m~n/o":[]}}]', "/1/x/m~0n~1o"),
        (b'{"":1,"":2}', "/"),
    ],
)
def test_a_name_given_twice_is_malformed_and_found(raw: bytes, pointer: str) -> None:
    refusal = refused(raw)
    assert isinstance(refusal, MalformedJsonError)
    assert refusal.pointer == pointer


@pytest.mark.parametrize(
    "raw", [b'{"a":1,"a":1}}', b'[{"a":1,"a":1},', b'{"a":1,"a":1} x', b'[{"a":1,"a":1}, NaN, 01]']
)
def test_a_name_given_twice_in_what_is_no_json_any_more_is_malformed_too(raw: bytes) -> None:
    refusal = refused(raw)
    assert isinstance(refusal, MalformedJsonError)
    assert refusal.pointer is None


def test_the_same_name_in_two_objects_is_fine() -> None:
    check(b'[{"a":1},{"a":{"a":1}}]')


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'"\\ud800"', ""),
        (b'["\\udc00"]', "/0"),
        (b'{"a":"\\ude00\\ud83d"}', "/a"),
        (b'{"\\ud83d x":1}', ""),
        (b'[1,"\\ud83d\\ud83d\\ude00"]', "/1"),
        (b'["\\\\","\\ud83d\\\\ude00"]', "/1"),
    ],
)
def test_half_of_a_surrogate_pair_is_malformed_and_found(raw: bytes, pointer: str) -> None:
    refusal = refused(raw)
    assert isinstance(refusal, MalformedJsonError)
    assert refusal.pointer == pointer


@pytest.mark.parametrize(
    "raw", [b'"\\ud83d\\ude00"', b'"\\uD83D\\uDE00"', b'"\\\\ud800"', '"😀"'.encode(), b'"\\ud7ff"']
)
def test_whole_pairs_and_what_only_looks_like_half_of_one_are_fine(raw: bytes) -> None:
    check(raw)


@pytest.mark.parametrize(
    ("raw", "pointer"), [(b'"\\u0000"', ""), (b'{"a":["x","\\u0000"]}', "/a/1"), (b'{"a\\u0000":1}', "")]
)
def test_a_nul_cannot_be_stored_and_is_found(raw: bytes, pointer: str) -> None:
    refusal = refused(raw)
    assert isinstance(refusal, UnacceptableDocumentError)
    assert refusal.pointer == pointer


def test_the_text_backslash_u0000_is_fine() -> None:
    check(b'"\\\\u0000"')


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "-0",
        "1" * 5_000,
        "9" * 131_072,
        "1e6176",
        "1E-6176",
        "0." + "9" * 16_383,
        "1e" + "0" * 5_000 + "7",
        "-1.5e+3",
    ],
)
def test_a_number_that_postgresql_keeps_is_fine_however_long(number: str) -> None:
    check(number.encode())


@pytest.mark.parametrize(
    "number",
    [
        "9" * 131_073,
        "0." + "0" * 16_384,
        "1e6177",
        "1e-6177",
        "1e100000",
        "1e" + "9" * 5_000,
        "0e999999",
        "9" * 125_000 + "e6176",
        "0." + "9" * 16_000 + "e-400",
    ],
)
def test_a_number_that_postgresql_cannot_keep_is_refused(number: str) -> None:
    refusal = refused(b'{"n":[' + number.encode() + b"]}")
    assert isinstance(refusal, UnacceptableDocumentError)
    assert refusal.pointer == ("/n/0" if len(number) < LOCATED_CHARACTERS_MAX else None)


def test_what_looks_like_a_number_inside_a_string_is_a_string() -> None:
    check(json.dumps({"1e99999": "1e99999", "digits": "9" * 200_000}).encode())


def test_exponents_may_not_make_the_document_many_times_longer() -> None:
    few, many = ",".join(["1e300"] * 220), ",".join(["1e300"] * 250)
    check(f"[{few}]".encode())
    assert "exponents" in str(refused(f"[{many}]".encode()))


def test_measured_data_passes_in_any_amount() -> None:
    check(json.dumps([i * 1e-7 for i in range(50_000)]).encode())


hostile = {
    "open lists": b"[" * MEBIBYTE,
    "closed lists": b"[" * (MEBIBYTE // 2) + b"]" * (MEBIBYTE // 2),
    "open objects": b'{"":' * (MEBIBYTE // 4),
    "one long number": b"9" * MEBIBYTE,
    "one long exponent": b"1e" + b"9" * (MEBIBYTE - 2),
    "escaped quotes": b'"' + b'\\"' * (MEBIBYTE // 2 - 1),
    "backslashes": b'"' + b"\\" * (MEBIBYTE - 1),
    "quotes": b'"' * MEBIBYTE,
    "twice at the end": b"[" + b'{"a":1,"b":2},' * (MEBIBYTE // 14 - 2) + b'{"a":1,"a":2}]',
    "many large exponents": b"[" + b"1e1000," * (MEBIBYTE // 7 - 1) + b"1]",
}


@pytest.mark.parametrize("raw", list(hostile.values()), ids=list(hostile))
@pytest.mark.timeout(2)
def test_a_hostile_mebibyte_is_refused_at_once(raw: bytes) -> None:
    assert len(raw) <= MEBIBYTE
    assert str(refused(raw))
