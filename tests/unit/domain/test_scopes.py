"""What scopes allow, what they hide, and what whoever has them may hand on."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.scopes import OF_TYPES, Decision, Of, Scopes, Verb, decide, parse_scopes
from service.errors import InvalidBodyError

TYPES = st.from_regex(r"[ab][ab-]{0,4}", fullmatch=True)
GLOBS = st.from_regex(r"[ab*][ab*-]{0,4}", fullmatch=True)
NAMES = ["".join(signs) for length in (1, 2, 3) for signs in itertools.product("ab-", repeat=length)]
SCOPES = st.lists(st.builds("{}:{}".format, st.sampled_from(OF_TYPES), GLOBS), min_size=1, max_size=4).map(parse_scopes)


@pytest.mark.parametrize(
    ("scope", "entity_type", "is_allowed"),
    [
        ("read:country", "country", True),
        ("read:country", "country2", False),
        ("read:country", "acountry", False),
        ("read:price-*", "price-eu", True),
        ("read:price-*", "price-", True),
        ("read:price-*", "price", False),
        ("read:*-eu", "price-eu", True),
        ("read:*", "anything", True),
        ("write:country", "country", False),
        ("admin:*", "country", False),
    ],
)
def test_a_scope_is_a_verb_and_a_pattern(scope: str, entity_type: str, *, is_allowed: bool):
    assert parse_scopes([scope]).allow(Verb.READ, entity_type) is is_allowed


@pytest.mark.parametrize(
    "text",
    [
        *("", "read", "read:", ":country", "read:Country", "read:a b", "read:[ab]", "read:a?", "fly:*", "*:*"),
        *("admin:country", "read:country\n", "read:-a", "READ:a", "read:" + "a" * 64, "read:a:b", "read:é"),
    ],
)
def test_what_is_no_scope_is_refused_by_name(text: str):
    with pytest.raises(InvalidBodyError, match="is no scope"):
        parse_scopes([text])


def test_no_scopes_are_refused():
    with pytest.raises(InvalidBodyError, match="at least one"):
        parse_scopes([])


@given(SCOPES, TYPES)
def test_nothing_is_hidden_but_what_is_read_of_a_type_that_the_key_has_nothing_to_do_with(scopes: Scopes, kind: str):
    knows = any(scopes.allow(verb, kind) for verb in OF_TYPES)
    for verb in OF_TYPES:
        decision = decide(scopes, [verb], kind)
        assert (decision is Decision.ALLOWED) is scopes.allow(verb, kind)
        assert (decision is Decision.HIDDEN) is (verb is Verb.READ and not knows)


def test_a_change_that_shows_what_was_there_needs_both_verbs():
    verbs = [Verb.WRITE, Verb.READ]
    assert decide(parse_scopes(["write:a"]), verbs, "a") is Decision.FORBIDDEN
    assert decide(parse_scopes(["read:a"]), verbs, "a") is Decision.FORBIDDEN
    assert decide(parse_scopes(["read:a", "write:*"]), verbs, "a") is Decision.ALLOWED


def test_everything_is_only_for_a_star_that_stands_alone():
    assert decide(parse_scopes(["observe:*"]), [Verb.OBSERVE], Of.EVERYTHING) is Decision.ALLOWED
    assert decide(parse_scopes(["observe:**", "read:*"]), [Verb.OBSERVE], Of.EVERYTHING) is Decision.FORBIDDEN
    assert decide(parse_scopes(["read:a"]), [Verb.READ], Of.EVERYTHING) is Decision.FORBIDDEN


def test_something_is_for_any_scope_of_the_verb():
    assert decide(parse_scopes(["steer:a"]), [Verb.STEER], Of.SOMETHING) is Decision.ALLOWED
    assert decide(parse_scopes(["read:*"]), [Verb.STEER], Of.SOMETHING) is Decision.FORBIDDEN


@given(SCOPES, SCOPES)
def test_what_is_handed_on_allows_nothing_more(mine: Scopes, theirs: Scopes):
    if not mine.cover(theirs):
        return
    for verb, name in itertools.product(OF_TYPES, NAMES):
        assert mine.allow(verb, name) or not theirs.allow(verb, name)


@given(SCOPES)
def test_the_same_may_be_handed_on(mine: Scopes):
    assert mine.cover(mine)


def test_a_pattern_of_many_stars_ends():
    scopes = parse_scopes(["read:" + "*a" * 31 + "b"])
    assert not scopes.allow(Verb.READ, "a" * 63)  # with backtracking it would take years
