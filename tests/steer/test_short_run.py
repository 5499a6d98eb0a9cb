"""All of the campaign that is quick, on real servers: hits are timed, rows are warmed, keys go."""

from __future__ import annotations

from dataclasses import replace

from tests.steer.campaign import run_campaign
from tests.steer.plan import QUICK
from tests.steer.report import Report, write_report
from tests.steer.stage import open_stage
from tests.steer.ways import DEFAULT, PURGE_PREFIX, PURGE_TYPE, ways_of

ROWS = 6_000


def test_a_short_run_warms_and_purges_beside_hits_and_writes_what_it_found(tmp_path):
    plan = replace(
        QUICK, rows=ROWS, hits_per_second=200.0, window_seconds=0.3, windows=1, job_windows=2, rates=(200.0,)
    )
    ways = [way for way in ways_of(plan) if way.name in (DEFAULT, "job-200", PURGE_PREFIX, PURGE_TYPE)]
    begun: list[str] = []
    with open_stage(plan) as stage:
        legs, misses = run_campaign(plan, stage, ways, begins=lambda way: begun.append(way.name), passed=lambda _: None)
    assert begun == list(legs) == [way.name for way in ways]
    assert {name: leg.items for name, leg in legs.items()} == {
        DEFAULT: ROWS,
        "job-200": 60,
        PURGE_PREFIX: ROWS,
        PURGE_TYPE: ROWS,
    }
    assert all(figure.calm.hits > 20 and figure.busy.hits > 0 for leg in legs.values() for figure in leg.figures)
    write_report(
        tmp_path, Report(plan, legs, misses, is_valkey_first=stage.is_valkey_first, cores=stage.cores, command="x")
    )
    assert (tmp_path / "steering.json").stat().st_size > 1_000
    assert "a purge of the type" in (tmp_path / "steering.md").read_text()
