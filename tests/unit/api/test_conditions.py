"""If-Match, If-None-Match and If-Modified-Since, by themselves."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.conditions import MATCHES_NOTHING, UNCONDITIONAL, parse_tags, read_condition, write_condition
from service.domain.entity import ALWAYS, WriteCondition
from service.errors import InvalidInputError

versions = st.integers(min_value=1, max_value=2**63 - 1)


def test_without_headers_nothing_is_asked() -> None:
    assert read_condition({}) is UNCONDITIONAL
    assert write_condition({}) is ALWAYS


@given(st.lists(st.tuples(st.booleans(), versions), min_size=1), st.sampled_from([",", ", ", " ,\t", ",,", ", ,"]))
def test_every_tag_of_a_list_is_read_and_weak_ones_never_match_strongly(
    tags: list[tuple[bool, int]], separator: str
) -> None:
    header = separator.join(f'W/"{version}"' if weak else f'"{version}"' for weak, version in tags)
    parsed = parse_tags(header, "If-Match")
    assert parsed.weak == {version for _, version in tags}
    assert parsed.strong == {version for weak, version in tags if not weak}


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_any_header_is_either_read_or_refused(header: str) -> None:
    with suppress(InvalidInputError):
        tags = parse_tags(header, "If-Match")
        assert tags.strong <= tags.weak
        assert tags.anything or '"' in header


@pytest.mark.parametrize(
    "header", ["", " ", ",", "7", "'7'", '"7', '7"', '"7" "8"', '*, "7"', '"7", *', "**", 'w/"7"', 'W/ "7"', '"a"b"']
)
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_tags(header, "If-Match")


@pytest.mark.parametrize(
    "header", ['"abc"', '"7-gzip"', '"07"', '"0"', '"-1"', '"7,8"', '"9999999999999999999999"', '""']
)
def test_a_foreign_tag_matches_nothing(header: str) -> None:
    assert write_condition({"if-match": header}) == WriteCondition(if_match=MATCHES_NOTHING)


def test_a_foreign_tag_does_not_spoil_those_beside_it() -> None:
    assert write_condition({"if-match": '"abc", "7"'}) == WriteCondition(if_match=frozenset({7}))


def test_both_conditions_of_a_write_are_kept() -> None:
    assert write_condition({"if-match": "*", "if-none-match": "*"}) == WriteCondition(frozenset(), must_be_absent=True)


def test_a_date_is_no_obstacle_to_a_write_that_names_a_version() -> None:
    headers = {"if-match": '"7"', "if-unmodified-since": "Fri, 20 Nov 2026 08:00:00 GMT"}
    assert write_condition(headers) == WriteCondition(if_match=frozenset({7}))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_a_date_as_asctime_writes_it_is_one_of_utc_wherever_the_service_runs(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    try:
        time.tzset()
        dates = ("Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT")
        assert {read_condition({"if-modified-since": date}).modified_since_ms for date in dates} == {784_111_777_000}
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text(max_size=40))
def test_any_date_is_either_read_or_ignored(value: str) -> None:
    since = read_condition({"if-modified-since": value}).modified_since_ms
    assert since is None or since % 1000 == 0


@given(st.integers(min_value=0, max_value=4 * 10**12), st.integers(min_value=1, max_value=999))
def test_a_second_write_within_the_second_of_a_date_is_never_hidden(second_ms: int, later_ms: int) -> None:
    begun = second_ms - second_ms % 1000
    condition = read_condition({"if-modified-since": "x"})
    assert condition.modified_since_ms is None
    dated = type(condition)(modified_since_ms=begun)
    assert not dated.is_unmodified(2, begun + later_ms)
    assert not dated.is_unmodified(2, begun)
    assert dated.is_unmodified(2, begun - 1)
