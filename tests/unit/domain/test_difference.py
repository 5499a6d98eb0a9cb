"""A difference, applied, makes the other document; another library does the applying."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import jsonpatch
import pytest
from hypothesis import given

from service.domain.difference import difference
from service.domain.exact_json import parse_exact, render_exact
from tests.support.quick import quick
from tests.unit.domain.test_parameter_types import trees


class Tagged(str):
    """A number's text, told from a string by its type alone."""

    __slots__ = ()

    def __eq__(self, other):
        return type(other) is Tagged and str.__eq__(self, other)

    __hash__ = str.__hash__


def loads(text):
    return json.loads(text, parse_int=Tagged, parse_float=Tagged)


def applied(before, patch):
    return jsonpatch.apply_patch(loads(render_exact(before)), loads(render_exact(patch)))


@quick(100)
@given(trees, trees)
def test_the_patch_turns_the_one_into_the_other(before, after):
    assert applied(before, difference(before, after)) == loads(render_exact(after))


@quick(100)
@given(trees)
def test_there_is_no_difference_to_itself(tree):
    assert difference(tree, tree) == []


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ("1", "1.0", '[{"op": "replace", "path": "", "value": 1.0}]'),
        ("1", "true", '[{"op": "replace", "path": "", "value": true}]'),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', "[]"),
        ('{"a": 1}', '{"b": 1}', '[{"op": "remove", "path": "/a"}, {"op": "add", "path": "/b", "value": 1}]'),
        ('{"a/b": {"~": 1}}', '{"a/b": {"~": 2}}', '[{"op": "replace", "path": "/a~1b/~0", "value": 2}]'),
        ("[1, 2, 3]", "[1, 3]", '[{"op": "remove", "path": "/1"}]'),
        ("[1, 3]", "[1, 2, 3]", '[{"op": "add", "path": "/1", "value": 2}]'),
        (
            "[1, 2, 3, 4]",
            "[4]",
            '[{"op": "remove", "path": "/2"}, {"op": "remove", "path": "/1"}, {"op": "remove", "path": "/0"}]',
        ),
    ],
)
def test_a_patch_says_what_changed_and_no_more(before, after, patch):
    assert render_exact(difference(parse_exact(before), parse_exact(after))) == patch


def test_deep_and_long_documents_are_compared_in_no_time():
    deep, other = "[" * 60 + "1" + "]" * 60, "[" * 60 + "2" + "]" * 60
    long_one, long_two = json.dumps(list(range(50_000))), json.dumps(list(range(1, 50_001)))
    started = time.process_time()
    assert len(difference(parse_exact(deep), parse_exact(other))) == 1
    difference(parse_exact(long_one), parse_exact(long_two))
    assert time.process_time() - started < 2


def test_numbers_are_exact():
    [operation] = difference(parse_exact("0.1"), parse_exact("0.10000000000000000001"))
    assert Decimal(operation["value"].text) == Decimal("0.10000000000000000001")
