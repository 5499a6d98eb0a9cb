"""JSON as a tree loses nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from service.domain.exact_json import Numeral, member_text, parse_exact, pointer_to, render_exact
from tests.support.quick import quick
from tests.unit.domain.test_parameter_types import trees


@quick(100)
@given(trees)
def test_what_is_rendered_is_parsed_to_the_same_tree(tree):
    assert parse_exact(render_exact(tree)) == tree


@quick(100)
@given(trees)
def test_what_is_rendered_is_json_to_everybody(tree):
    json.loads(render_exact(tree), parse_int=str)


@pytest.mark.parametrize("text", ["1.50", "1E400", "12345678901234567890", "-0.0", '{"a": [1.0, true, null, "é\\n"]}'])
def test_numbers_stay_the_text_that_was_sent(text):
    assert render_exact(parse_exact(text)) == text


def test_numbers_booleans_and_texts_are_told_apart():
    values = [Numeral("1"), Numeral("1.0"), True, "1"]
    assert all((one == other) is (i == k) for i, one in enumerate(values) for k, other in enumerate(values))


def test_one_value_is_cut_out_of_a_text_as_it_stands_there():
    assert member_text('{"a": [1.50, "}"], "b": 2}', 6) == '[1.50, "}"]'


def test_a_pointer_escapes_what_it_must():
    assert pointer_to("a/b", "~", 0) == "/a~1b/~0/0"
