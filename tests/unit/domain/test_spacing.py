"""What would happen all at once happens one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.spacing import APART_SECONDS, LONGEST_SECONDS, Spacing


def test_who_comes_alone_waits_no_longer_than_it_must():
    spacing = Spacing()
    assert spacing.wait(10.0, at_least=0.2) == pytest.approx(0.2)
    assert spacing.wait(11.0, at_least=0.2) == pytest.approx(0.2)


def test_those_who_come_together_are_told_one_after_the_other():
    spacing = Spacing()
    waits = [spacing.wait(10.0, at_least=0.2) for _ in range(64)]
    assert waits == pytest.approx([0.2 + APART_SECONDS * place for place in range(64)])


def test_who_comes_again_as_soon_as_it_is_told_stays_apart_from_the_others():
    spacing = Spacing()
    told = [10.0 + spacing.wait(10.0, at_least=0.2) for _ in range(64)]
    again = [at + spacing.wait(at, at_least=0.2) for at in told]
    assert again == pytest.approx([at + 0.2 for at in told])


@given(st.lists(st.floats(0, 0.01), max_size=4_000))
def test_nobody_is_told_too_early_nor_too_late_nor_before_one_who_came_earlier(pauses: list[float]):
    spacing, now, last = Spacing(), 10.0, 0.0
    for pause in pauses:
        now += pause
        wait = spacing.wait(now, at_least=0.2)
        assert 0.2 - 1e-9 <= wait <= 0.2 + LONGEST_SECONDS + 1e-9
        assert now + wait >= last
        last = now + wait
