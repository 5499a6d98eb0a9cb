"""Cache-Control, Aside-Min-Version, Prefer and ttl_seconds, by themselves."""

from __future__ import annotations

from contextlib import suppress

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st

from service.api.directives import SECONDS_MAX, read_ttl, read_wish, wants_no_waiting
from service.cache.entry import NO_WISH, Wish
from service.errors import InvalidInputError


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        ("no-cache", Wish(no_cache=True)),
        ("NO-CACHE", Wish(no_cache=True)),
        ("only-if-cached", Wish(only_if_cached=True)),
        ("max-age=0", Wish(max_age_seconds=0.0)),
        ('max-age="5"', Wish(max_age_seconds=5.0)),
        ("max-age = 5", Wish(max_age_seconds=5.0)),
        ("max-age=9, max-age=5", Wish(max_age_seconds=5.0)),
        ("max-age=99999999999999999999", Wish(max_age_seconds=float(SECONDS_MAX))),
        ("stale-if-error=60,no-cache", Wish(no_cache=True, stale_if_error_seconds=60.0)),
        ('no-store, max-stale=3, min-fresh=x, foo, bar="a, no-cache", =, ;;', NO_WISH),
        ('"x" , no-cache', Wish(no_cache=True)),
        ('@, "a, b", max-age=5;"c, d", no-cache', Wish(no_cache=True, max_age_seconds=5.0)),
        ("", NO_WISH),
    ],
)
def test_known_directives_are_read_and_others_ignored(header: str, wish: Wish) -> None:
    assert read_wish({"cache-control": header}) == wish


@pytest.mark.parametrize(
    "header", ["max-age", "max-age=", "max-age=x", "max-age=-1", "max-age=1.5", "stale-if-error", "no-cache=1"]
)
def test_a_known_directive_that_makes_no_sense_is_refused(header: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        read_wish({"cache-control": header})
    assert refusal.value.pointer == "Cache-Control"


@pytest.mark.parametrize("value", ["0", "41", " 41 ", str(2**63 - 1)])
def test_a_minimum_version_is_read(value: str) -> None:
    assert read_wish({"aside-min-version": value}).min_version == int(value)


@pytest.mark.parametrize("value", ["", "-1", '"41"', "4.1", str(2**63), "٤", "9" * 5_000])
def test_a_minimum_version_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        read_wish({"aside-min-version": value})
    assert refusal.value.pointer == "Aside-Min-Version"


@given(st.text())
def test_any_cache_control_is_either_read_or_refused(header: str) -> None:
    with suppress(InvalidInputError):
        assert read_wish({"cache-control": header}).min_version == 0


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("respond-async", True),
        ("Respond-Async, wait=10", True),
        ('handling=lenient; x="respond-async"', False),
        ("return=minimal", False),
        ("respond-asynchronously", False),
        ("", False),
    ],
)
def test_the_wish_not_to_wait_is_read(header: str, *, wanted: bool) -> None:
    assert wants_no_waiting({"prefer": header}) is wanted


def test_nobody_who_says_nothing_is_in_a_hurry() -> None:
    assert not wants_no_waiting({})
    assert read_wish({}) is NO_WISH


def test_a_lifetime_may_be_anything_up_to_the_limit() -> None:
    assert read_ttl({}, longest_seconds=10) is None
    assert read_ttl({"ttl_seconds": "10"}, longest_seconds=10) == 10
    assert read_ttl({"ttl_seconds": "1e-3"}, longest_seconds=10) == 0.001
    with pytest.raises(RequestValidationError):
        read_ttl({"ttl_seconds": "10.01"}, longest_seconds=10)
