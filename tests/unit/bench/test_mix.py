"""Which requests are drawn, and for which keys."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bench.errors import BadOptionError
from service.bench.mix import Chooser, Distribution, Kind, Share, chooser_of_keys, parse_mix
from tests.support.quick import quick

GRID = [draw / 100_000 for draw in range(100_000)]
draws = st.floats(0, 1, exclude_max=True)


def test_a_mix_names_kinds_and_their_weights_and_one_alone_needs_none() -> None:
    assert parse_mix("reads=95, writes=5") == (Share(Kind.READS, 95), Share(Kind.WRITES, 5))
    assert parse_mix("if-none-match=1.5,absent=1,batch-read=2") == (
        Share(Kind.CONDITIONAL, 1.5),
        Share(Kind.ABSENT, 1),
        Share(Kind.BATCH, 2),
    )
    assert parse_mix("reads") == (Share(Kind.READS, 1),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("reads=95,deletes=5", "'deletes' is none of reads, writes"),
        ("", "'' is none of"),
        ("reads=0", "above 0, not '0'"),
        ("reads=-1", "above 0"),
        ("reads=many", "above 0, not 'many'"),
        ("reads=inf", "above 0"),
        ("reads=nan", "above 0"),
        ("reads=1,reads=2", "given twice"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused_with_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(BadOptionError, match=complaint):
        parse_mix(text)


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=50), draws)
@quick(300)
def test_every_draw_picks_a_place_and_the_order_of_draws_is_that_of_places(weights: list[float], draw: float) -> None:
    chooser = Chooser(weights)
    place = chooser.pick(draw)
    assert 0 <= place < len(weights)
    assert chooser.pick(draw / 2) <= place
    assert chooser.pick(0.0) == 0


def test_places_are_picked_in_proportion_to_their_weights() -> None:
    counts = Counter(map(Chooser([90, 9, 1]).pick, GRID))
    assert [round(counts[place] / 1000) for place in range(3)] == [90, 9, 1]


def test_uniform_keys_are_asked_for_alike() -> None:
    counts = Counter(map(chooser_of_keys(100, Distribution.UNIFORM, 1.0).pick, GRID))
    assert set(counts) == set(range(100))
    assert max(counts.values()) - min(counts.values()) <= 2


@pytest.mark.parametrize("s", [0.5, 1.0, 1.5])
def test_the_nth_key_of_zipf_is_asked_for_in_proportion_to_one_over_n_to_the_s(s: float) -> None:
    counts = Counter(map(chooser_of_keys(1000, Distribution.ZIPF, s).pick, GRID))
    for rank in (2, 4, 8):
        assert counts[0] / counts[rank - 1] == pytest.approx(rank**s, rel=0.02)
