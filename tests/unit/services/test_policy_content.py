"""Which documents describe a policy, and that the settings and the API allow the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.cache.policy import Policy, Strategy, lifetimes
from service.errors import InvalidPolicyError
from service.services.policy_content import RANGES, read_policy, tree_of
from service.settings import PolicySettings

BASE = Policy(ttl_seconds=50, jitter=0.2, stale_if_error_seconds=5)
LONGEST = 1_000.0


def read(document: object, base: Policy = BASE) -> Policy:
    text = document if isinstance(document, str) else json.dumps(document)
    return read_policy(text, entity_type="book", base=base, longest_seconds=LONGEST)


def refused(document: object) -> dict[str, str]:
    with pytest.raises(InvalidPolicyError) as error:
        read(document)
    return {fault.pointer: fault.detail for fault in error.value.faults}


def test_what_is_left_out_the_base_says():
    assert read({}) == BASE
    assert read({"strategy": "write_through", "ttl_seconds": 7.5}) == Policy(
        strategy=Strategy.WRITE_THROUGH, ttl_seconds=7.5, jitter=0.2, stale_if_error_seconds=5
    )


def test_a_policy_that_was_read_may_be_sent_back():
    stamps = {"source": "stored", "version": 3, "updated_at": "2026-11-20T08:00:00Z", "updated_by": None}
    assert read({"entity_type": "book", **tree_of(BASE), **stamps}) == BASE


def test_every_fault_is_named_at_once():
    found = refused(
        {
            "strategy": ["write_behind"], "ttl_seconds": 0, "jitter": 0.51, "negative_ttl_seconds": True,
            "stale_if_error_seconds": -1, "early_refresh_beta": "1", "ttl": 5, "a/b": 1, "entity_type": "boook",
        }
    )  # fmt: skip
    assert found == {
        "/strategy": "must be one of cache_aside, write_through",
        "/ttl_seconds": "must be a number above 0, up to 1000",
        "/jitter": "must be a number from 0, up to 0.5",
        "/negative_ttl_seconds": "must be a number",
        "/stale_if_error_seconds": "must be a number from 0, up to 1000",
        "/early_refresh_beta": "must be a number",
        "/ttl": "is no member of a policy",
        "/a~1b": "is no member of a policy",
        "/entity_type": "is another type than the path's",
    }


@pytest.mark.parametrize("document", ["[]", "null", '"ttl_seconds"', "5"])
def test_what_is_no_object_is_refused(document):
    assert refused(document) == {"": "must be an object with members of a policy"}


@pytest.mark.parametrize("text", ['{"ttl_seconds": 1e400}', '{"ttl_seconds": 1e-400}', '{"early_refresh_beta": 1e300}'])
def test_numbers_beyond_a_double_are_out_of_range(text):
    assert len(refused(text)) == 1


def test_nothing_may_live_longer_than_tombstones_are_kept():
    together = {
        "/stale_if_error_seconds": "together with ttl_seconds must not exceed 1000: so long are tombstones kept"
    }
    assert read({"ttl_seconds": 400, "stale_if_error_seconds": 600}).stale_if_error_seconds == 600
    assert refused({"ttl_seconds": 400, "stale_if_error_seconds": 601}) == together
    assert refused({"ttl_seconds": 996}) == together  # with what the base says
    assert list(refused({"negative_ttl_seconds": 900, "stale_if_error_seconds": 101})) == ["/stale_if_error_seconds"]


@given(name=st.sampled_from(sorted(RANGES)), value=st.floats(-1, 20) | st.sampled_from([0, 0.5, 10, 1e-300, -0.0]))
def test_the_api_and_the_settings_allow_the_same(name, value):
    try:
        expected = PolicySettings.model_validate({name: value}).to_policy()
    except ValidationError:
        expected = None
    try:
        found = read({name: value}, Policy())
    except InvalidPolicyError:
        found = None
    assert found == expected


@given(
    stale=st.floats(0, 900), ttl=st.floats(0.001, 100), jitter=st.floats(0, 0.5),
    draw=st.floats(2**-53, 1), negative=st.booleans(),
)  # fmt: skip
def test_whatever_is_allowed_is_fresh_no_longer_than_it_may_be_used(stale, ttl, jitter, draw, negative):
    policy = read({"stale_if_error_seconds": stale, "ttl_seconds": ttl, "jitter": jitter})
    fresh_until, stale_until = lifetimes(policy, 1_000, draw, negative=negative, ttl_seconds=None)
    assert 1_000 < fresh_until <= stale_until
