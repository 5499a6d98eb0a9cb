"""Which reads were made while an entry was replaced, and which in calm."""

from __future__ import annotations

import pytest

from tests.bench.cells.expiry import BIN_SECONDS, split, time_line, typical_p99
from tests.bench.pacing import Read


def read_at(at: float, seconds: float = 0.001) -> Read:
    return Read(at, seconds, is_hit=True)


def test_reads_near_a_renewal_are_around_it_and_far_ones_in_calm():
    parts = split([read_at(1.0, 0.1), read_at(1.2, 0.2), read_at(3.0, 0.3)], [1.1], window=0.25)
    assert parts.around == [[0.1, 0.2]]
    assert parts.calm == [[0.3]]


def test_each_renewal_has_a_window_and_so_has_each_stretch_of_calm():
    parts = split([read_at(at) for at in (1.0, 2.0, 3.0, 4.0)], [1.1, 4.1], window=0.25)
    assert [len(parts.around), len(parts.calm)] == [2, 2]


def test_reads_that_may_have_been_disturbed_are_neither():
    assert split([read_at(1.4)], [1.0], window=0.25) == ([], [])


def test_without_a_renewal_all_is_calm():
    assert split([read_at(1.0, 0.1)], [], window=0.25) == ([], [[0.1]])


def test_a_window_that_was_cut_off_does_not_count():
    parts = split([read_at(1.0), read_at(1.1), read_at(1.2), read_at(2.0)], [], window=0.25)
    assert [len(window) for window in parts.calm] == [3]


def test_one_window_that_was_spoilt_does_not_count_and_what_is_in_most_of_them_does():
    calm, slow = [0.001] * 100, [0.05] * 100
    assert typical_p99([calm, calm, slow]) == pytest.approx(0.001)
    assert typical_p99([calm, slow, slow]) == pytest.approx(0.05)


def test_the_time_line_has_the_slowest_of_each_bin():
    reads = [read_at(10 + BIN_SECONDS * 0.1, 0.002), read_at(10 + BIN_SECONDS * 0.9, 0.004), read_at(10.12, 0.001)]
    assert time_line(reads, 10.0) == [(0.0, 4.0), (2 * BIN_SECONDS, 1.0)]
