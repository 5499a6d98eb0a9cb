"""The table of keys that wrk draws from."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tests.bench.zipf import zipf_table


def test_the_shares_are_those_of_zipfs_law():
    counts = [count for _, count in Counter(zipf_table(1_000)).most_common()]
    harmonic = sum(1 / rank for rank in range(1, 1_001))
    for rank in (1, 2, 3, 10, 100):
        assert counts[rank - 1] / 100_000 == pytest.approx(1 / rank / harmonic, rel=0.02)


def test_every_key_is_there_and_no_other():
    assert set(zipf_table(1_000)) == set(range(1, 1_001))


def test_it_is_the_same_table_each_time():
    assert zipf_table(100) == zipf_table(100)


def test_the_most_wanted_keys_are_no_neighbours():
    ordered = [key for key, _ in Counter(zipf_table(1_000)).most_common(20)]
    assert all(abs(one - other) > 1 for one, other in itertools.pairwise(ordered))
