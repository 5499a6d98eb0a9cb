"""The judge of single reads, on a clock of the test's."""

from __future__ import annotations

import pytest

from tests.support.registers import Behind, Registers, Stale


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def registers(clock):
    return Registers(bound_seconds=2.0, clock=lambda: clock[0])


def test_a_read_that_returns_what_was_acknowledged_is_not_stale(registers):
    registers.acknowledged("x", 5)
    assert registers.answered("x", registers.begin("x"), 5) is None


def test_a_read_that_began_before_the_acknowledgement_may_return_either(registers):
    floors = registers.begin("x")
    registers.acknowledged("x", 5)
    assert registers.answered("x", floors, 4) is None


def test_a_read_below_an_acknowledged_write_is_stale_since_that_was_acknowledged(registers, clock):
    registers.acknowledged("x", 5)
    clock[0] += 1
    registers.acknowledged("x", 6)
    clock[0] += 3
    assert registers.answered("x", registers.begin("x"), 4) == Stale(Behind.WRITE, 4.0)
    assert registers.answered("x", registers.begin("x"), 5) == Stale(Behind.WRITE, 3.0)


def test_a_read_below_what_another_read_returned_is_stale(registers, clock):
    assert registers.answered("x", registers.begin("x"), 5) is None
    clock[0] += 0.5
    assert registers.answered("x", registers.begin("x"), 4) == Stale(Behind.READ, 0.5)


def test_plain_sql_must_be_seen_within_the_bound_and_not_sooner(registers, clock):
    registers.committed("x", 5)
    clock[0] += 1.9
    assert registers.answered("x", registers.begin("x"), 4) is None
    clock[0] += 0.1
    assert registers.answered("x", registers.begin("x"), 4) == Stale(Behind.SQL, 2.0)
    assert registers.answered("x", registers.begin("x"), 5) is None


def test_keys_do_not_concern_each_other(registers):
    registers.acknowledged("x", 5)
    assert registers.answered("y", registers.begin("y"), 1) is None
    assert registers.floor("x") == 5
