"""The pages of a warming whose ids are given."""

from __future__ import annotations

from service.domain.entity import EntityKey
from service.services.warming import Tally, pages_of


def keys(entity_type, *ids):
    return [EntityKey(entity_type, each) for each in ids]


def test_a_page_has_keys_of_one_type_only():
    mixed = [*keys("a", "1"), *keys("b", "1"), *keys("a", "2")]
    assert list(pages_of(mixed, 10)) == [keys("a", "1", "2"), keys("b", "1")]


def test_no_page_is_longer_than_it_may_be():
    assert list(pages_of(keys("a", *"12345"), 2)) == [keys("a", "1", "2"), keys("a", "3", "4"), keys("a", "5")]


def test_a_key_that_is_given_twice_is_in_one_page_once():
    assert list(pages_of(keys("a", "1", "2", "1"), 2)) == [keys("a", "1", "2")]


def test_no_keys_are_no_pages():
    assert list(pages_of([], 2)) == []


def test_tallies_are_added_member_by_member():
    assert Tally(rows=3, installed=1, busy=2).plus(Tally(rows=2, present=1, refused=1)) == Tally(5, 1, 1, 2, 1, 0)
