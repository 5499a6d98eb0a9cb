"""The short form of `make fuzz`: every target, over real inputs that were mutated, the same ones in every run."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.catalogue import TARGETS
from tests.fuzz.mutating import CHANGE_BYTES, mutated
from tests.support.quick import quick

_DRAWN, _SEARCHED = 1_000, 50


@pytest.mark.parametrize("name", TARGETS)
def test_what_holds_for_real_input_holds_for_what_strangers_make_of_it(name: str) -> None:
    target, draw = TARGETS[name], random.Random(name)
    for data in target.seeds:
        target.run(data)
    for _ in range(_DRAWN):
        data = mutated(target, draw.randbytes(1 + CHANGE_BYTES * draw.randint(1, 5)))
        target.run(data)  # pytest shows the bytes that it failed for


@pytest.mark.parametrize("name", TARGETS)
def test_what_holds_for_real_input_holds_for_the_least_that_hypothesis_changes_in_it(name: str) -> None:
    target = TARGETS[name]

    @quick(_SEARCHED)
    @given(st.binary(max_size=1 + CHANGE_BYTES * 5))
    def holds(recipe: bytes) -> None:
        target.run(mutated(target, recipe))

    holds()
