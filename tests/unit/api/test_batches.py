"""Names out of a body: what is read in one pass is what would be read with care, and the rest is refused by place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.batches import BATCH_MAX, BatchForm, asked_for, odd_names, plain_names
from service.domain.document import check_document
from service.errors import AsideError, InvalidBodyError
from tests.support.quick import quick

FORM = BatchForm(asks="ids", answers="items", calls="id", path="/x", noun="x", fault=InvalidBodyError, fewest=1)


@pytest.mark.parametrize(
    "body",
    [b'{"ids": ["JP", "a:b"]}', b'{"ids":["JP","a:b"]}', b' {\n"ids"\t: ["JP"\r,"a:b" ] }\n'],
)
def test_an_ordinary_body_is_read_in_one_pass(body: bytes) -> None:
    assert plain_names(body, "ids") == ["JP", "a:b"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"ids": ["\\u0041"]}', b'{"ids": [1]}', b'{"ids": [NaN]}', b'{"ids": [["a"]]}', b'{"ids": [{}]}',
        b'{"ids": "a"}', b'{"keys": ["a"]}', b'{"ids": ["a"], "x": 1}', b'{"ids": ["a"], "ids": 1}',
        b"[]", b"{}", b"", b"1",
        b'\xef\xbb\xbf{"ids": ["a"]}', b'{"ids": ["\xff"]}', b'{"ids": ["a\x00"]}', b'{"ids": ["a"]',
        b'{"ids": ["a"]}x',
        b'{"ids": [' + b"9" * 5_000 + b"]}", b"[" * 100_000,
    ],
)  # fmt: skip
def test_every_other_body_is_left_to_the_careful_reader(body: bytes) -> None:
    assert plain_names(body, "ids") is None


words = st.one_of(
    st.sampled_from(["JP", "", "{", "[", "a\\b", '"', "\n", "é", "\ud83d", "日本"]),
    st.text(max_size=5),
    st.integers(),
    st.none(),
    st.lists(st.text(max_size=2), max_size=2),
)
bodies = st.one_of(
    st.lists(words, max_size=5).map(lambda names: json.dumps({"ids": names}).encode()),
    st.lists(st.text(max_size=5), max_size=5).map(
        lambda names: json.dumps({"ids": names}, ensure_ascii=False).encode(errors="surrogatepass")
    ),
    st.dictionaries(st.sampled_from(["ids", "keys", "x"]), words, max_size=3).map(
        lambda tree: json.dumps(tree).encode()
    ),
    st.binary(max_size=20),
)


@quick(400)
@given(body=bodies)
def test_both_readers_agree(body: bytes) -> None:
    fast = plain_names(body, "ids")
    try:
        check_document(body, max_depth=64)
        careful = odd_names(body, FORM)
    except AsideError:
        assert fast in (None, []), "what is refused must not be read"
    else:
        assert fast is None or fast == careful


@pytest.mark.parametrize(
    ("tree", "pointers"),
    [
        ([], [""]),
        ({"ids": "JP"}, [""]),
        ({"ids": ["JP"], "limit": 1}, [""]),
        ({"ids": []}, ["/ids"]),
        ({"ids": ["x"] * (BATCH_MAX + 1)}, ["/ids"]),
        ({"ids": ["JP", 1, "NZ", None]}, ["/ids/1", "/ids/3"]),
        ({"ids": [{}] * BATCH_MAX}, [f"/ids/{place}" for place in range(10)]),
    ],
)
def test_a_body_of_another_form_is_refused_by_place(tree: object, pointers: list[str]) -> None:
    with pytest.raises(InvalidBodyError) as caught:
        odd_names(json.dumps(tree).encode(), FORM)
    assert [fault.pointer for fault in caught.value.faults] == pointers


@pytest.mark.parametrize("odd", ["", "é", "a b", "a/b", "a\nb", "\n", "a\n", "-a", "x" * 256])
def test_what_is_no_name_is_told_apart_alone_and_among_others(odd: str) -> None:
    assert asked_for([odd]) == ([odd], [])
    assert asked_for(["a", odd, "x" * 255]) == (["a", odd, "x" * 255], ["a", "x" * 255])
