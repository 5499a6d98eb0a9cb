"""Who writes, and why: what of it is taken."""

from __future__ import annotations

import pytest

from service.api.authorship import read_authorship
from service.domain.parameter import NOBODY, Authorship
from service.errors import InvalidInputError


def test_nothing_said_is_nothing_known():
    assert read_authorship({}) == NOBODY
    assert read_authorship({"Aside-Actor": "  ", "Aside-Reason": ""}) == NOBODY


def test_other_characters_come_percent_encoded():
    headers = {"Aside-Actor": "ann", "Aside-Reason": "%E5%A4%A7%20sale 100%25"}
    assert read_authorship(headers) == Authorship("ann", "大 sale 100%")


@pytest.mark.parametrize("said", ["é", "%00", "%0A", "a%0d%0aX: y", "%ff", "%E5%A4", "a\tb", "%E2%80%AE", "x" * 201])
def test_what_cannot_be_printed_or_is_too_long_is_refused(said):
    with pytest.raises(InvalidInputError) as caught:
        read_authorship({"Aside-Actor": said})
    assert caught.value.pointer == "Aside-Actor"


def test_a_reason_may_be_longer_than_a_name_but_not_endless():
    assert read_authorship({"Aside-Reason": "x" * 1_000}).reason == "x" * 1_000
    with pytest.raises(InvalidInputError):
        read_authorship({"Aside-Reason": "x" * 1_001})
