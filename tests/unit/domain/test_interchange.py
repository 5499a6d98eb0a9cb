"""What a record of an import may be: the rules of the API, line by line."""

from __future__ import annotations

import json

import pytest

from service.domain.interchange import Given, Rules
from service.errors import InvalidInputError

RULES = Rules(entity_type=None, body_bytes=100, json_depth=3, ttl_seconds=1_000)
LINE = '{"entity_type": "book", "id": "dune", "version": 7, "updated_at": "x", "ttl_seconds": 6e1, "body": {"n": 1.50}}'


def test_a_line_of_an_export_is_read_and_its_numbers_keep_their_digits():
    assert RULES.read_line(LINE.encode()) == Given("book", "dune", '{"n": 1.50}', 60.0, None)


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ('{"body":[1e2,"}"] , "id":"a","entity_type":"b"}', '[1e2, "}"]'),
        ('{"id":"a","entity_type":"b","updated_at":"\\"body\\": 5","body" :  {"body": 2} }\r\n', '{"body": 2}'),
        ('{"id":"a","entity_type":"b","b\\u006fdy": null}', "null"),
        ('{"id":"a","entity_type":"b","b\\u006fdy": {"body":1}}', '{"body": 1}'),
        ('{"id":"a","entity_type":"b","b\\u006fdy": [0,{"body":1}]}', '[0, {"body": 1}]'),
    ],
)
def test_a_body_is_found_wherever_it_stands(line, body):
    assert RULES.read_line(line.encode()).body == body


def test_of_what_names_no_type_the_rules_say_it():
    rules = Rules(entity_type="book", body_bytes=100, json_depth=3, ttl_seconds=1_000)
    assert rules.read_line(b'{"id": "dune", "body": 1}').entity_type == "book"
    assert rules.read_row({"id": "dune", "body": "1", "entity_type": ""}) == Given("book", "dune", "1", None, None)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"entity_type": "Book"}, "entity_type must match"),
        ({"entity_type": None}, "entity_type must match"),
        ({"id": "a b"}, "id must match"),
        ({"id": 5}, "id must match"),
        ({"id": "é"}, "id must match"),
        ({"ttl_seconds": 0}, "ttl_seconds must be"),
        ({"ttl_seconds": 1_001}, "ttl_seconds must be"),
        ({"ttl_seconds": "60"}, "ttl_seconds must be"),
        ({"ttl_seconds": True}, "ttl_seconds must be"),
        ({"ttl": 1}, "'ttl' is none of"),
        ({"version": {"body": 1}}, "version is an object"),
        ({"body": "é" * 50}, "exceeds 100 bytes"),
        ({"body": [[[[1]]]]}, "deeper than 4 levels"),
        ({"body": "a\0"}, "U+0000"),
        ({"entity_type": "parameter", "body": {"type": "integer", "value": "1"}}, "/value: of type integer"),
        ({"entity_type": "parameter", "body": 1}, "must be an object"),
    ],
)
def test_what_the_api_would_refuse_is_refused(changed, words):
    line = json.dumps({**json.loads(LINE), **changed})
    with pytest.raises(InvalidInputError, match=words.replace("+", r"\+").replace("(", r"\(")):
        RULES.read_line(line.encode())


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"5", b"{", b'{"id": "a", "id": "b", "body": 1}', b'{"id": "a", "body": NaN}', b'{"id": "a\xff"}', b"{}"],
)
def test_what_is_no_record_is_refused(raw):
    with pytest.raises(InvalidInputError):
        RULES.read_line(raw)


@pytest.mark.parametrize(
    "cells", [{}, {"id": "a"}, {"id": "a", "body": "{"}, {"id": "a", "body": "1", "ttl_seconds": "nan"}]
)
def test_a_row_that_is_none_is_refused(cells):
    with pytest.raises(InvalidInputError):
        RULES.read_row({"entity_type": "book", **cells} if cells else {})


def test_a_parameter_is_stored_in_its_canonical_form():
    body = {"type": "duration", "value": "PT90M", "ttl_seconds": 60, "updated_by": "ann"}
    given = RULES.read_line(json.dumps({"entity_type": "parameter", "id": "a:b", "body": body}).encode())
    assert json.loads(given.body) == {"type": "duration", "value": "PT1H30M", "ttl_seconds": 60}
    assert (given.ttl_seconds, given.content is not None) == (60, True)
