"""Query parameters: what is taken, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fastapi.exceptions import RequestValidationError

from service.api.queries import read_flag, read_limit, read_moment, read_text, read_version


def test_nothing_given_is_the_default():
    assert read_flag({}, "dry_run") is False
    assert read_limit({}) == 100
    assert read_version({}, "version") is None
    assert read_moment({}, "at") is None
    assert read_text({}, "prefix", "x") == ""


def test_what_is_given_is_read():
    assert read_flag({"dry_run": "true"}, "dry_run") is True
    assert read_flag({"dry_run": "false"}, "dry_run") is False
    assert read_limit({"limit": "1000"}) == 1_000
    assert read_version({"version": "7"}, "version") == 7
    assert read_moment({"at": "2026-11-20T09:00:00+01:00"}, "at") == datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "1", "True", "yes"])
def test_a_flag_is_true_or_false(value):
    with pytest.raises(RequestValidationError):
        read_flag({"dry_run": value}, "dry_run")


@pytest.mark.parametrize("value", ["", "0", "1001", "-1", "1e2", "١", "9" * 30])
def test_a_limit_is_a_number_within_bounds(value):
    with pytest.raises(RequestValidationError):
        read_limit({"limit": value})


@pytest.mark.parametrize("value", ["", "0", "-1", "9223372036854775808", '"7"'])
def test_a_version_is_a_positive_number(value):
    with pytest.raises(RequestValidationError):
        read_version({"version": value}, "version")


@pytest.mark.parametrize(("value", "pattern"), [("", "x+"), ("y", "x+"), ("xy", "x+"), ("x\n", "x+")])
def test_a_text_that_is_given_fits_its_pattern_even_if_it_is_empty(value, pattern):
    with pytest.raises(RequestValidationError):
        read_text({"cursor": value}, "cursor", pattern)


def test_a_plus_that_became_a_space_is_explained():
    with pytest.raises(RequestValidationError) as caught:
        read_moment({"at": "2026-11-20T09:00:00 01:00"}, "at")
    assert "%2B" in caught.value.errors()[0]["msg"]
