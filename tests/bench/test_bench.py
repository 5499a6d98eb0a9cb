"""Who fails is left out and named, and the others are measured all the same."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from service.embedded import free_port
from tests.bench.bench import Bench
from tests.bench.contestants import ASIDE, CEILING
from tests.bench.cores import Cores
from tests.bench.listening import listening
from tests.bench.plan import Plan
from tests.bench.stage import Stage, Target
from tests.bench.wrk import Shape

PLAN = Plan(rounds=2, seconds=0.2, warmup_seconds=0.1, keys=10)
DOCUMENT = b"x" * 250


def bench_of(tmp_path, **urls: str) -> Bench:
    """Without PostgreSQL and Valkey."""
    stage = Stage(None, None, tmp_path, Cores(frozenset(), frozenset()), ExitStack())  # type: ignore[arg-type]
    stage.targets = {name: Target(name, url, os.getpid()) for name, url in urls.items()}
    stage.missing = {"cashews": "no such package"}
    return Bench(PLAN, stage)


def compared(bench: Bench):
    return bench.compare([*bench.stage.targets, "cashews"], lambda target, _: Shape(head=target.head.format("item")))


def test_who_answers_wrong_is_left_out_of_the_cell_and_named(tmp_path):
    with listening(200, answer=DOCUMENT) as (good, _), listening(200, answer=b"[]") as (wrong, _):
        bench = bench_of(tmp_path, ceiling=good, aiocache=wrong)
        bench.fill([CEILING, "aiocache"], "item", 10)
        found = compared(bench)
    assert [len(found.loads[name]) for name in found.loads] == [PLAN.rounds]
    assert "200, 2 bytes" in found.left_out["aiocache"]
    assert found.left_out["cashews"] == "no such package"


def test_who_ends_in_the_middle_is_left_out_and_has_no_ratio(tmp_path):
    with listening(200, answer=DOCUMENT) as (good, _):
        found = compared(bench_of(tmp_path, ceiling=good, aiocache=f"http://127.0.0.1:{free_port()}"))
    assert set(found.loads) == {CEILING}
    assert "refused" in found.left_out["aiocache"]


def test_who_failed_in_one_cell_takes_part_in_the_next_one(tmp_path):
    with listening(200, answer=DOCUMENT) as (good, _), listening(200, answer=b"[]") as (wrong, _):
        bench = bench_of(tmp_path, ceiling=good, aiocache=wrong)
        bench.fill(["aiocache"], "item", 10)
        bench.stage.targets["aiocache"] = Target("aiocache", good, os.getpid())
        bench.fill(["aiocache"], "item", 10)
        found = compared(bench)
    assert set(found.loads) == {CEILING, "aiocache"}


def test_without_aside_there_is_nothing_to_compare(tmp_path):
    with listening(200, answer=b"[]") as (wrong, _), pytest.raises(ExceptionGroup):
        bench_of(tmp_path, **{ASIDE: wrong}).fill([ASIDE], "item", 10)
