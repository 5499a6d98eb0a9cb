"""A real run in the small, of what needs no environment of its own: ceiling, no cache, Aside."""

from __future__ import annotations

import json
import os

from tests.bench.bench import Bench
from tests.bench.cells import CELLS
from tests.bench.contestants import ASIDE, CACHES, CEILING, PLAIN, WEBDIS
from tests.bench.cores import divided
from tests.bench.goals import judge
from tests.bench.plan import Plan
from tests.bench.report import Report, write_report
from tests.bench.stage import open_stage

PLAN = Plan(rounds=1, seconds=0.3, warmup_seconds=0.1, rows=20_000, keys=100, written_keys=100)


def test_hits_and_misses_are_measured_on_real_servers_and_reported(tmp_path):
    cells = {cell.name: cell for cell in CELLS}
    begun = Report.begin(PLAN, command="make bench")
    with divided() as cores, open_stage(PLAN, (ASIDE, CEILING, PLAIN), cores) as stage:
        assert {frozenset(os.sched_getaffinity(target.pid)) for target in stage.targets.values()} == {cores.server}
        assert os.sched_getaffinity(stage.valkey.pid) == os.sched_getaffinity(stage.postgres.pid) == cores.others
        bench = Bench(PLAN, stage)
        for name in ("warm", "cold"):
            bench.found[name] = cells[name].measure(bench)
    warm, cold = bench.found["warm"], bench.found["cold"]
    assert set(warm.loads) == {ASIDE, CEILING, PLAIN}
    assert all(load.is_clean and load.per_second > 0 for found in (warm, cold) for [load] in found.loads.values())
    assert warm.loads[ASIDE][0].hits > 0.9
    assert cold.loads[ASIDE][0].hits < 0.1
    assert all(load.cpu_us > 0 for [load] in warm.loads.values())
    write_report(tmp_path, begun.ended(bench.found, {WEBDIS: "left out here"}, seconds=1))
    judged = {verdict.goal.title: verdict.text for verdict in judge(bench.found)}
    assert judged["warm hit ÷ ceiling"] != "NOT MEASURED"
    assert judged["warm hit ÷ the best Python cache"] == "NOT MEASURED"
    assert set(json.loads((tmp_path / "benchmarks.json").read_text())["cells"]) == {"warm", "cold"}


def test_every_contestant_is_described_once():
    text = Report.begin(PLAN, command="make bench").versions
    assert {"aiocache", "cashews", "fastapi-cache2", "fastapi-redis-sdk"} == set(CACHES)
    assert "PostgreSQL" in text
