"""Every type reads back what it writes, and takes nothing for what it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.durations import LONGEST
from service.domain.exact_json import Numeral, parse_exact, render_exact
from service.domain.parameter_types import DIGITS_MAX, ParameterType, parse_value, render_value
from tests.support.quick import quick

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
numerals = st.one_of(
    st.integers().map(lambda n: Numeral(str(n))),
    st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(Numeral),
)
trees = st.recursive(
    st.none() | st.booleans() | texts | numerals,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=offsets)  # noqa: DTZ001 (the bounds are naive)
VALUES = {
    ParameterType.STRING: texts,
    ParameterType.INTEGER: st.integers() | st.integers(-(10**3_000), 10**3_000),
    ParameterType.NUMBER: st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**300), max_value=10**300),
    ParameterType.BOOLEAN: st.booleans(),
    ParameterType.JSON: trees,
    ParameterType.DURATION: st.timedeltas(timedelta(0), LONGEST),
    ParameterType.DATETIME: moments,
}


def through_text(kind, value):
    """As a value goes: written, stored as text, read."""
    return parse_value(kind, parse_exact(render_exact(render_value(kind, value))))


def test_every_type_has_values_to_try():
    assert set(VALUES) == set(ParameterType)


@pytest.mark.parametrize("kind", ParameterType)
def test_what_is_rendered_is_parsed_to_the_same_value(kind):
    @quick(100)
    @given(VALUES[kind])
    def check(value):
        assert through_text(kind, value) == value

    check()


@pytest.mark.parametrize("kind", ParameterType)
def test_there_is_one_way_to_render_a_value(kind):
    @quick(100)
    @given(VALUES[kind])
    def check(value):
        rendered = render_value(kind, value)
        assert render_value(kind, parse_value(kind, rendered)) == rendered

    check()


@pytest.mark.parametrize("kind", ParameterType)
def test_a_value_of_any_other_json_kind_is_refused(kind):
    """Of all JSON, a type takes what is rendered as that type, and nothing else."""
    own = {
        ParameterType.STRING: str,
        ParameterType.INTEGER: Numeral,
        ParameterType.NUMBER: Numeral,
        ParameterType.BOOLEAN: bool,
        ParameterType.DURATION: str,
        ParameterType.DATETIME: str,
        ParameterType.JSON: object,
    }[kind]

    @quick(100)
    @given(trees.filter(lambda tree: not isinstance(tree, own)))
    def check(value):
        with pytest.raises(ValueError, match="must be"):
            parse_value(kind, value)

    if kind is not ParameterType.JSON:
        check()


@pytest.mark.parametrize("text", ["1.0", "1e2", "-1.5", "1E0", "0.0"])
def test_an_integer_is_written_with_digits_alone(text):
    with pytest.raises(ValueError, match="integer"):
        parse_value(ParameterType.INTEGER, Numeral(text))


@pytest.mark.parametrize("value", [True, False, "1", None, [], {}])
def test_nothing_is_taken_for_an_integer_that_is_none(value):
    with pytest.raises(ValueError, match="integer"):
        parse_value(ParameterType.INTEGER, value)


@pytest.mark.parametrize("text", ["9007199254740993", "-9007199254740993", "1" * DIGITS_MAX])
def test_an_integer_beyond_a_doubles_reach_keeps_every_digit(text):
    assert render_exact(render_value(ParameterType.INTEGER, parse_value(ParameterType.INTEGER, Numeral(text)))) == text


@pytest.mark.parametrize(
    ("sent", "kept"), [("1.50", "1.50"), ("-0", "0"), ("-0.00", "0.00"), ("1e2", "100"), ("1e-3", "0.001")]
)
def test_a_number_is_written_out_and_keeps_its_digits(sent, kept):
    assert render_value(ParameterType.NUMBER, parse_value(ParameterType.NUMBER, Numeral(sent))) == Numeral(kept)


@pytest.mark.parametrize("kind", [ParameterType.INTEGER, ParameterType.NUMBER])
@pytest.mark.parametrize("text", ["1" * (DIGITS_MAX + 1), "1" * 100_000])
def test_a_number_of_too_many_digits_is_refused(kind, text):
    with pytest.raises(ValueError, match="digits"):
        parse_value(kind, Numeral(text))


@pytest.mark.parametrize("text", ["1e5000", "1e-5000", "1e99999999"])
def test_a_number_that_would_be_too_long_when_written_out_is_refused(text):
    with pytest.raises(ValueError, match="must"):
        parse_value(ParameterType.NUMBER, Numeral(text))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("PT3600S", "PT1H"),
        ("PT36H", "P1DT12H"),
        ("P2W", "P14D"),
        ("PT0.250S", "PT0.25S"),
        ("PT0S", "PT0S"),
        ("P0D", "PT0S"),
        ("P1DT1H1M1.000001S", "P1DT1H1M1.000001S"),
    ],
)
def test_a_duration_has_one_canonical_form(sent, kept):
    assert render_value(ParameterType.DURATION, parse_value(ParameterType.DURATION, sent)) == kept


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "P1Y", "P1M", "-PT1S", "PT1.S", "PT.5S", "PT1,5S", "1h", "pt1s", "PT1H ", "P1W1D", "PT1S1M",
     "PT0.0000001S", "P1000000000D", "PT١S"],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="must"):
        parse_value(ParameterType.DURATION, text)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-11-20T09:00:00+09:00", "2026-11-20T00:00:00Z"),
        ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
        ("2026-11-20t08:00:00z", "2026-11-20T08:00:00Z"),
        ("2026-11-20T08:00:00.50Z", "2026-11-20T08:00:00.5Z"),
        ("2026-11-20T08:00:00.1-01:30", "2026-11-20T09:30:00.1Z"),
        ("2024-02-29T23:59:59.999999Z", "2024-02-29T23:59:59.999999Z"),
    ],
)
def test_a_datetime_is_kept_in_utc(sent, kept):
    assert render_value(ParameterType.DATETIME, parse_value(ParameterType.DATETIME, sent)) == kept


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-20", "2026-11-20T08:00:00", "2026-11-20 08:00:00Z", "2026-11-20T08:00Z", "2026-02-30T00:00:00Z",
     "2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z", "2026-11-20T08:00:00+0900", "2026-11-20T08:00:00+24:00",
     "2026-11-20T08:00:00.1234567Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "20261120T080000Z",
     "2026-11-20T08:00:00Z\n", "٢٠٢٦-11-20T08:00:00Z"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match="must"):
        parse_value(ParameterType.DATETIME, text)


def test_values_are_what_they_mean():
    assert parse_value(ParameterType.NUMBER, Numeral("0.1")) == Decimal("0.1")
    assert parse_value(ParameterType.DURATION, "PT90M") == timedelta(hours=1.5)
    assert parse_value(ParameterType.DATETIME, "2026-11-20T08:00:00Z") == datetime(2026, 11, 20, 8, tzinfo=UTC)
