"""Plans of faults are a function of their seed, and can be carried out."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from tests.chaos import process_faults, sql_writers
from tests.chaos.fault_kinds import INJECTIONS
from tests.chaos.plan import FAILOVERS, FORMS, SINGLE_SERVER_ONLY, forms_of, groups_of, plan


def test_the_same_seed_makes_the_same_plan_and_another_one_another() -> None:
    assert plan(1, seconds=300) == plan(1, seconds=300)
    assert plan(1, seconds=300) != plan(2, seconds=300)


def test_every_kind_can_be_done() -> None:
    assert process_faults
    assert sql_writers
    assert {form.kind for form in (*FORMS, *FAILOVERS)} == set(INJECTIONS)


def test_a_plan_has_every_kind_within_its_first_minutes_and_a_few_long_ones() -> None:
    for leg in ("valkey", "sentinel"):
        faults = plan(5, seconds=2_000, forms=forms_of(leg))
        assert {fault.kind for fault in faults} == {form.kind for form in forms_of(leg)}
        assert len(faults) > 500
        assert max(fault.seconds for fault in faults) > 15
        assert sorted(fault.seconds for fault in faults)[len(faults) // 2] < 2
        assert all(fault.at + fault.seconds < 2_000 for fault in faults)
    assert not {fault.kind for fault in plan(5, seconds=2_000, forms=forms_of("sentinel"))} & SINGLE_SERVER_ONLY


def test_faults_overlap_but_never_on_the_same_thing() -> None:
    faults = plan(7, seconds=1_000)
    by_group = defaultdict(list)
    for fault in faults:
        for group in groups_of(fault):
            by_group[group].append(fault)
    for each in by_group.values():
        for first, second in pairwise(each):
            assert first.at + first.seconds < second.at
    assert any(first.at + first.seconds > second.at for first, second in pairwise(faults))
