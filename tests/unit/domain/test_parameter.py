"""Which bodies are parameters, what is wrong with the others, and where."""

from __future__ import annotations

import json

import pytest

from service.domain.exact_json import Numeral, parse_exact
from service.domain.parameter import SCHEMA_BYTES_MAX, content_of, read_content, value_text
from service.domain.parameter_types import ParameterType
from service.errors import InvalidParameterError

KEY = "app:config:max_users"


def read(body, **limits):
    text = body if isinstance(body, str) else json.dumps(body)
    return read_content(text, key=KEY, ttl_seconds_max=limits.get("ttl_seconds_max", 100))


def faults_of(body):
    with pytest.raises(InvalidParameterError) as caught:
        read(body)
    return [fault.pointer for fault in caught.value.faults]


def test_the_smallest_parameter_is_a_type_and_a_value():
    content = read('{"type": "integer", "value": 9007199254740993}')
    assert content.type is ParameterType.INTEGER
    assert content.value == Numeral("9007199254740993")
    assert content.stored == '{"type": "integer", "value": 9007199254740993}'


def test_null_is_a_value_of_json_and_of_nothing_else():
    assert read({"type": "json", "value": None}).stored == '{"type": "json", "value": null}'
    assert faults_of({"type": "string", "value": None}) == ["/value"]


def test_members_that_say_nothing_are_not_stored():
    body = {"type": "boolean", "value": True, "description": None, "schema": None, "ttl_seconds": None}
    assert read(body).stored == '{"type": "boolean", "value": true}'


def test_what_is_stored_reads_back_as_the_same_content():
    body = '{"type": "duration", "value": "PT90M", "description": "d", "schema": {"x": 1.50}, "ttl_seconds": 0.5}'
    content = read(body)
    assert content_of(parse_exact(content.stored)) == content
    assert content.tree["value"] == "PT1H30M"


def test_a_parameter_that_was_read_can_be_sent_back():
    sent = {"key": KEY, "type": "string", "value": "x", "version": 7, "description": None, "schema": None,
            "ttl_seconds": None, "updated_at": "2026-11-20T08:00:00Z", "updated_by": "ann"}  # fmt: skip
    assert read(sent) == read({"type": "string", "value": "x"})


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (1, [""]),
        ({}, ["/type", "/value"]),
        ({"type": "int", "value": 1}, ["/type"]),
        ({"type": 1, "value": 1}, ["/type"]),
        ({"type": ["integer"], "value": 1}, ["/type"]),
        ({"type": "integer", "value": "1"}, ["/value"]),
        ({"type": "integer", "value": 1, "valeu": 2, "a/b": 1}, ["/valeu", "/a~1b"]),
        ({"type": "integer", "value": 1, "key": "another"}, ["/key"]),
        ({"type": "integer", "value": 1, "description": 5}, ["/description"]),
        ({"type": "integer", "value": 1, "description": "x" * 5000}, ["/description"]),
        ({"type": "integer", "value": 1, "ttl_seconds": 0}, ["/ttl_seconds"]),
        ({"type": "integer", "value": 1, "ttl_seconds": 101}, ["/ttl_seconds"]),
        ({"type": "integer", "value": 1, "ttl_seconds": "5"}, ["/ttl_seconds"]),
        ({"type": "integer", "value": 1, "ttl_seconds": True}, ["/ttl_seconds"]),
        ({"type": "integer", "value": 1, "schema": []}, ["/schema"]),
        ({"type": "integer", "value": 1, "schema": {"title": "x" * SCHEMA_BYTES_MAX}}, ["/schema"]),
        ({"type": "integer", "value": True, "ttl_seconds": -1}, ["/ttl_seconds", "/value"]),
    ],
)
def test_every_fault_is_named_with_its_place(body, places):
    assert faults_of(body) == places


@pytest.mark.parametrize("lifetime", ["1e400", "-1", "0.0"])
def test_a_lifetime_is_positive_and_bounded(lifetime):
    assert faults_of(f'{{"type": "integer", "value": 1, "ttl_seconds": {lifetime}}}') == ["/ttl_seconds"]


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        ({"$ref": "https://example.com/s"}, ["/schema/$ref"]),
        ({"items": [{"$dynamicRef": "file:///etc/passwd"}]}, ["/schema/items/0/$dynamicRef"]),
        ({"properties": {"a": {"$ref": "other.json#/a"}}}, ["/schema/properties/a/$ref"]),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, ["/schema/$schema"]),
    ],
)
def test_a_schema_that_leads_elsewhere_is_refused(schema, places):
    assert faults_of({"type": "integer", "value": 1, "schema": schema}) == places


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": True}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema"},
        {"const": {"$ref": "https://example.com/"}},
        {"properties": {"$ref": {"type": "string"}}},
        True,
        False,
    ],
)
def test_a_schema_that_stays_at_home_is_taken(schema):
    read({"type": "integer", "value": 1, "schema": schema})


def test_the_value_is_cut_out_of_what_is_served_with_every_digit():
    document = '{"key": "value", "type": "json", "value": {"value": 1.50}, "version": 7, "schema": {"value": 2}}'
    assert value_text(document.encode()) == b'{"value": 1.50}'
