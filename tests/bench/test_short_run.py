"""A real run in the small, of what needs no environment of its own: ceiling, no cache, Aside."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.bench import Bench
from tests.bench.cells import CELLS
from tests.bench.cells.encrypted import WAYS
from tests.bench.contestants import ABSENT, ASIDE, BEYOND, CACHES, CEILING, KEYED, LIMITED, PLAIN, RATIO, WEBDIS
from tests.bench.cores import divided
from tests.bench.figures import Found
from tests.bench.goals import GOALS, judge
from tests.bench.plan import Plan
from tests.bench.report import Report, write_report
from tests.bench.stage import open_stage

PLAN = Plan(
    rounds=1, seconds=0.3, warmup_seconds=0.1, rows=20_000, keys=100, written_keys=100, workers=(2,), replicas=0,
    flood_pairs=1, flood_seconds=0.3, flood_begins_seconds=0.3, flood_hits_per_second=50,
)  # fmt: skip

_TITLES = ("Hits with keys", "Through TLS", "Hits by the number of", "Hits beside a flood")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with divided() as cores, open_stage(PLAN, (ASIDE, CEILING, PLAIN), cores) as stage:
        yield Bench(PLAN, stage)


def measured(bench: Bench, *names: str) -> dict[str, Found]:
    cells = {cell.name: cell for cell in CELLS}
    for name in names:
        bench.found[name] = cells[name].measure(bench)
    return {name: bench.found[name] for name in names}


def test_the_measured_servers_have_a_core_of_their_own(bench: Bench):
    stage = bench.stage
    assert {frozenset(os.sched_getaffinity(target.pid)) for target in stage.targets.values()} == {stage.cores.server}
    assert os.sched_getaffinity(stage.valkey.pid) == os.sched_getaffinity(stage.postgres.pid) == stage.cores.others
    assert (stage.cores.server == stage.cores.others) is (len(stage.cores.all) == 1)


def test_hits_and_misses_are_measured_on_real_servers_and_reported(bench: Bench, tmp_path: Path):
    begun = Report.begin(PLAN, command="make bench")
    found = measured(bench, "warm", "cold")
    warm, cold = found["warm"], found["cold"]
    assert set(warm.loads) == {ASIDE, CEILING, PLAIN}
    assert all(load.is_clean and load.per_second > 0 for found in (warm, cold) for [load] in found.loads.values())
    assert warm.loads[ASIDE][0].hits > 0.9
    assert cold.loads[ASIDE][0].hits < 0.1
    assert all(load.cpu_us > 0 for [load] in warm.loads.values())
    write_report(tmp_path, begun.ended(found, {WEBDIS: "left out here"}, seconds=1))
    judged = {verdict.goal.title: verdict.text for verdict in judge(found)}
    assert judged["warm hit ÷ ceiling"] != "NOT MEASURED"
    assert judged["warm hit ÷ the best Python cache"] == "NOT MEASURED"
    assert set(json.loads((tmp_path / "benchmarks.json").read_text())["cells"]) == {"warm", "cold"}


def test_keys_tls_workers_and_floods_are_measured_on_real_servers_and_reported(bench: Bench, tmp_path: Path):
    found = measured(bench, "keys", "encrypted", "workers", "floods")
    check_keys(found["keys"])
    check_encrypted(found["encrypted"])
    check_workers(found["workers"])
    check_floods(found["floods"])
    write_report(tmp_path, Report.begin(PLAN, command="make bench").ended(found, {}, seconds=1))
    assert [one.text for one in judge(found)].count("NOT MEASURED") == len(GOALS) - 3
    text = (tmp_path / "README.md").read_text()
    assert all(f"## {title}" in text for title in _TITLES)
    assert (tmp_path / "workers.png").exists()


def check_keys(found: Found) -> None:
    assert set(found.loads) == {ASIDE, CEILING, KEYED, LIMITED}
    assert all(load.is_clean for [load] in found.loads.values())
    assert all(found.loads[name][0].hits > 0.9 for name in (ASIDE, KEYED, LIMITED))


def check_encrypted(found: Found) -> None:
    """What is called a hit is one, and what is called a miss none; a busy disk may refuse some of the writes."""
    assert all(load.per_second > 0 for [load] in found.loads.values())
    assert all(load.is_clean for name, [load] in found.loads.items() if "writes" not in name)
    assert all(found.loads[f"hits, {way}"][0].hits > 0.5 for way in WAYS)
    assert all(found.loads[f"misses, {way}"][0].hits < 0.1 for way in WAYS)
    assert len(found.figures) == 6


def check_workers(found: Found) -> None:
    assert set(found.loads) == {"2 workers"}
    assert all(load.is_clean and load.hits > 0.9 and load.cpu_us > 0 for [load] in found.loads.values())
    assert 0 < found.figures["2 workers: the busiest one's share of their time"][0] <= 1


def check_floods(found: Found) -> None:
    """The floods are there, and are what they are called."""
    assert found.figures[f"{ABSENT}: loads per second of flood"][0] > 0
    assert found.figures[f"{BEYOND}: refusals per second of flood"][0] > 0
    assert all(found.figures[f"{flood}: {RATIO}"][0] > 0 for flood in (ABSENT, BEYOND))


def test_every_contestant_is_described_once():
    text = Report.begin(PLAN, command="make bench").versions
    assert {"aiocache", "cashews", "fastapi-cache2", "fastapi-redis-sdk"} == set(CACHES)
    assert "PostgreSQL" in text
