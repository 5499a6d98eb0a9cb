"""The members of a list of objects, as the texts that they were sent as."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.json_texts import texts_of_objects

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), max_size=4)


@settings(deadline=None, max_examples=50)
@given(objects=OBJECTS, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_each_member_is_the_text_of_its_value(objects: list[dict[str, Any]], indent: int | None, ascii_only: bool):  # noqa: FBT001, hypothesis calls it by name
    text = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    found = texts_of_objects(text, 0)
    assert [{name: json.loads(value) for name, value in each.items()} for each in found] == objects


def test_every_digit_and_every_blank_inside_a_value_stays():
    text = ' [ {"a" : 1.50 ,"b":\t[ 1,2 ]\n, "c" :"]}," } ,{ } ] '
    assert texts_of_objects(text, 1) == [{"a": "1.50", "b": "[ 1,2 ]", "c": '"]},"'}, {}]


def test_a_number_too_long_for_pythons_integers_is_a_text_like_any_other():
    digits = "9" * 10_000
    assert texts_of_objects(f'[{{"n": {digits}}}]', 0) == [{"n": digits}]
