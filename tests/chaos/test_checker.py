"""The judge of campaigns accepts every possible history, and refuses each that was made impossible."""

from __future__ import annotations

import random

import pytest

from tests.chaos.checking import Checker
from tests.chaos.histories import MUTATIONS, Mutation, body_of, faults_of, good_history
from tests.chaos.observation import Kind, Observation, Row

SEEDS = range(150)
MUTANTS_EACH = 40


def test_every_possible_history_is_accepted() -> None:
    for seed in SEEDS:
        assert faults_of(good_history(seed)) == [], seed


def test_the_size_of_the_windows_does_not_matter() -> None:
    for windows in (1, 2, 30, 1000):
        for seed in range(20):
            assert faults_of(good_history(seed), windows=windows) == [], (windows, seed)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_every_impossible_history_is_refused(mutation: Mutation) -> None:
    made = 0
    for seed in SEEDS:
        history = good_history(seed)
        if mutation(history, random.Random(seed)):
            made += 1
            for windows in (1, 7):
                assert faults_of(history, windows=windows), (mutation.__name__, seed, windows)
    assert made >= MUTANTS_EACH


def seen(began: float, ended: float, version: int, **changes: object) -> Observation:
    given = {"kind": Kind.READ, "key": "thing:a", "replica": 0, "body": body_of("thing:a", version)} | changes
    return Observation(began=began, ended=ended, version=version, **given)  # type: ignore[arg-type]


def judged(rows: list[Row], observations: list[Observation], committed: dict[int, float] | None = None) -> list[str]:
    checker = Checker(1.0)
    checker.learn(rows, lambda row: (committed or {}).get(row.version, 1e9))
    checker.judge(sorted(observations, key=lambda each: each.ended), oldest_began=0)
    return [violation.what for violation in checker.violations]


def row(version: int, **changes: object) -> Row:
    from hashlib import md5

    body = body_of("thing:a", version)
    given = {"key": "thing:a", "deleted": False, "digest": md5(body).hexdigest(), "mark": f"m{version}"} | changes
    return Row(version=version, **given)  # type: ignore[arg-type]


GONE = row(3, deleted=True)


def test_an_absence_between_two_values_is_the_deletion_between_them() -> None:
    rows = [row(2), GONE, row(4)]
    nothing = seen(2, 3, 0, body=None)
    assert judged(rows, [seen(0, 1, 2), nothing, seen(4, 5, 4)]) == []
    assert judged(rows, [seen(0, 1, 2), nothing, seen(4, 5, 2)]) != []
    assert judged(rows, [seen(0, 1, 4), nothing]) != []


def test_a_truncate_is_an_absence_of_every_key_at_its_version() -> None:
    rows = [row(2), Row(version=3, key="*", deleted=True)]
    assert judged(rows, [seen(0, 1, 2), seen(2, 3, 0, body=None)]) == []
    assert judged(rows, [seen(0, 1, 2), seen(2, 3, 0, body=None), seen(4, 5, 2)]) != []
    assert judged(rows, [seen(0, 1, 3)]) != []


def test_an_answer_that_says_it_is_stale_is_only_held_to_its_key_and_its_body() -> None:
    rows = [row(2), row(4)]
    assert judged(rows, [seen(0, 1, 4), seen(2, 3, 2, outcome="stale")]) == []
    assert judged(rows, [seen(0, 1, 4), seen(2, 3, 2, outcome="stale", body=b"{}")]) != []
    assert judged(rows, [seen(2, 3, 2, outcome="stale", min_version=3)]) != []
    assert judged(rows, [seen(0, 1, 4), seen(2, 3, 0, outcome="stale", body=None)]) == []


def test_a_deferred_write_that_asked_not_to_wait_binds_others_only_after_b() -> None:
    rows = [row(2), row(4)]
    write = seen(0, 1, 4, kind=Kind.WRITE, raises=False)
    assert judged(rows, [write, seen(1.5, 1.6, 2)], {2: 0.0, 4: 0.9}) == []
    assert judged(rows, [write, seen(1.95, 2.0, 2)], {2: 0.0, 4: 0.9}) != []


def test_a_refusal_must_be_true_and_binds_nobody() -> None:
    rows = [row(2), row(4)]
    refused = seen(2, 3, 4, kind=Kind.REFUSED, body=None)
    assert judged(rows, [seen(0, 1, 2), refused, seen(4, 5, 2)]) == []
    assert judged(rows, [seen(0, 1, 4), seen(2, 3, 2, kind=Kind.REFUSED, body=None)]) != []


def test_memory_stays_bounded_however_long_the_history_is() -> None:
    checker = Checker(1.0)
    for number in range(2_000):
        version = 2 + 2 * number
        checker.learn([row(version)], lambda _, number=number: float(number))
        checker.judge([seen(number, number + 0.5, version)], oldest_began=number)
    register = checker._registers["thing:a"]
    assert checker.violations == []
    assert len(register.rows) < 60
    assert len(register.bodies) < 60
    assert len(register.known.times) < 10
    assert len(register.due.times) < 10
