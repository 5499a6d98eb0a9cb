"""The names of things in Redis."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.cache import keys
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN
from tests.support.quick import quick

types = st.from_regex(ENTITY_TYPE_PATTERN, fullmatch=True)
ids = st.from_regex(ENTITY_ID_PATTERN, fullmatch=True)


@quick(60)
@given(types, ids)
def test_a_name_splits_into_what_it_was_made_of_colons_in_the_id_included(entity_type: str, entity_id: str):
    assert keys.split(keys.name_of(entity_type, entity_id)) == (entity_type, entity_id)


@quick(60)
@given(types, ids)
def test_no_entry_lives_at_a_key_that_has_another_meaning(entity_type: str, entity_id: str):
    name = keys.name_of(entity_type, entity_id)
    assert len({keys.cache_key(name), keys.refresh_key(name), keys.HEARTBEAT, keys.WATERMARK}) == 4


def test_an_entry_lives_under_cache_its_type_and_its_id():
    assert keys.cache_key(keys.name_of("country", "JP")) == "cache:country:JP"


def test_a_type_that_was_given_up_has_a_label_of_its_own_and_all_others_the_common_one():
    generation = b"g.1 country:7 country-code:9"
    labels = [keys.label_of(generation, name) for name in ("country:JP", "country-code:JP", "count:1", "code:1")]
    assert labels == [b"g.1.7", b"g.1.9", b"g.1", b"g.1"]
    assert keys.label_of(b"g.1", "country:JP") == b"g.1"
