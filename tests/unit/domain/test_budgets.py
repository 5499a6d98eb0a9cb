"""What may be spent of absences, and of a client's allowance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.absences import AbsenceBudget
from service.domain.allowance import Allowance


def test_a_page_of_absent_things_is_no_flood():
    budget = AbsenceBudget(100)
    for _ in range(499):
        budget.spend(1.0)
    assert not budget.is_spent(1.0)


def test_a_flood_costs_what_the_budget_allows_whatever_its_size():
    budget = AbsenceBudget(100)
    let_in = 0
    for turn in range(100_000):  # ten thousand per second
        if not budget.is_spent(turn / 10_000):
            budget.spend(turn / 10_000)
            let_in += 1
    assert 1_450 <= let_in <= 1_500  # five seconds that were saved, and ten


def test_in_a_flood_misses_go_on_one_by_one_and_who_would_wait_too_long_is_refused():
    budget = AbsenceBudget(100)
    for _ in range(1_000):
        budget.spend(1.0)
    waits = [budget.wait(1.0) for _ in range(100)]
    assert waits[:3] == [pytest.approx(0.01), pytest.approx(0.02), pytest.approx(0.03)]
    assert waits.index(None) in {24, 25}
    assert set(waits[25:]) == {None}
    assert budget.wait(1.1) is not None
    assert budget.wait(3.0) == 0


def test_after_a_flood_misses_go_on_at_once():
    budget = AbsenceBudget(100)
    for _ in range(100_000):
        budget.spend(1.0)
    assert budget.is_spent(1.25)
    assert not budget.is_spent(1.3)


def take_all(allowance: Allowance, now: float, wanted: int) -> int:
    return sum(allowance.take(now, rate=10, burst=20) for _ in range(wanted))


def test_a_client_may_send_a_burst_and_then_its_rate():
    allowance = Allowance(20, 0.0)
    assert take_all(allowance, 0.0, 100) == 20
    assert allowance.seconds_until_next(10) == 0.1
    assert take_all(allowance, 1.0, 100) == 10
    assert take_all(allowance, 60.0, 100) == 20


def test_a_client_that_does_not_heed_its_refusals_gets_its_rate_evenly_and_saves_nothing_meanwhile():
    """As over many connections that are refused together, wait together, and ask again together."""
    allowance = Allowance(200, 0.0)
    sum(allowance.take(0.0, rate=100, burst=200) for _ in range(1_000))
    every_fifth = [sum(allowance.take(0.2 * turn, rate=100, burst=200) for _ in range(64)) for turn in range(1, 50)]
    assert set(every_fifth) == {1}
    every_hundredth = [allowance.take(20 + 0.01 * turn, rate=100, burst=200) for turn in range(400)]
    assert sum(every_hundredth) >= 395
    assert sum(allowance.take(60.0, rate=100, burst=200) for _ in range(1_000)) == 200


def test_what_the_others_granted_is_taken_off_and_what_was_granted_here_is_not():
    allowance = Allowance(20, 0.0)
    take_all(allowance, 0.0, 5)
    allowance.settled(5, 5, burst=20)
    take_all(allowance, 0.0, 3)
    allowance.settled(3, 18, burst=20)  # ten of them by others
    assert (allowance.left, allowance.unsettled) == (2, 0)


def test_a_total_that_begins_anew_takes_only_what_is_in_it():
    allowance = Allowance(20, 0.0)
    allowance.settled(0, 1_000, burst=20)
    take_all(allowance, 0.0, 4)
    allowance.settled(4, 6, burst=20)
    assert allowance.left == 20 - 4 - 2


@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), max_size=40))
def test_replicas_that_settle_grant_together_what_one_would_and_a_turn_each(wanted: list[list[int]]):
    """Each turn is a tenth of a second: every replica is asked for some, then all settle, one after the other."""
    replicas, total, granted = [Allowance(20, 0.0) for _ in range(3)], 0, 0
    for replica in replicas:
        replica.settled(0, 0, burst=20)
    for turn, asked in enumerate(wanted):
        for replica, count in zip(replicas, asked, strict=True):
            granted += take_all(replica, turn / 10, count)
        for _ in range(2):  # the first hears of the last one's a turn later; here, in the same
            for replica in replicas:
                told = replica.unsettled
                total += told
                replica.settled(told, total, burst=20)
    assert granted <= 3 * 20 + 10 * len(wanted) / 10


def test_who_says_no_more_than_a_new_one_would_may_be_forgotten():
    allowance = Allowance(20, 0.0)
    take_all(allowance, 0.0, 5)
    assert not allowance.is_full(9.0, rate=10, burst=20)
    allowance.forget_unsettled()
    assert not allowance.is_full(0.4, rate=10, burst=20)
    assert allowance.is_full(0.5, rate=10, burst=20)
    take_all(allowance, 1.0, 30)
    allowance.forget_unsettled()
    assert not allowance.is_full(1.9, rate=100, burst=20)
    assert allowance.is_full(2.0, rate=100, burst=20)
