"""Who writes, and why: what of it is taken."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from service.api.authorship import read_authorship
from service.domain.parameter import NOBODY, Authorship
from service.domain.scopes import parse_scopes
from service.errors import InvalidInputError
from service.services.access import Principal


def read_of(headers: dict[str, str], **scope: object) -> Authorship:
    sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return read_authorship(Request({"type": "http", "headers": sent, **scope}))


def test_nothing_said_is_nothing_known():
    assert read_of({}) == NOBODY
    assert read_of({"Aside-Actor": "  ", "Aside-Reason": ""}) == NOBODY


def test_other_characters_come_percent_encoded():
    headers = {"Aside-Actor": "ann", "Aside-Reason": "%E5%A4%A7%20sale 100%25"}
    assert read_of(headers) == Authorship("ann", "大 sale 100%")


@pytest.mark.parametrize("said", ["é", "%00", "%0A", "a%0d%0aX: y", "%ff", "%E5%A4", "a\tb", "%E2%80%AE", "x" * 201])
def test_what_cannot_be_printed_or_is_too_long_is_refused(said):
    with pytest.raises(InvalidInputError) as caught:
        read_of({"Aside-Actor": said})
    assert caught.value.pointer == "Aside-Actor"


def test_a_reason_may_be_longer_than_a_name_but_not_endless():
    assert read_of({"Aside-Reason": "x" * 1_000}).reason == "x" * 1_000
    with pytest.raises(InvalidInputError):
        read_of({"Aside-Reason": "x" * 1_001})


def test_with_a_key_its_name_comes_first_and_what_is_said_is_only_said():
    asked_by = {"aside.principal": Principal("0" * 12, "shop", parse_scopes(["write:*"]))}
    assert read_of({}, **asked_by).actor == "shop"
    assert read_of({"Aside-Actor": "ann"}, **asked_by).actor == "shop (as said: ann)"
