"""Several processes, one truth: whichever is scraped shows the sum."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.metrics.exposition import _forget_dead_workers

WORKER = """
import sys
from service.cache.entry import Outcome
from service.metrics import Metrics, expose
metrics = Metrics(["country"], version="1")
for _ in range(int(sys.argv[1])):
    metrics.read("country", Outcome.HIT)
metrics.load_started(1)
metrics.request("GET", "/livez", 200, 0.001)
metrics.heartbeat(float(sys.argv[1]))
metrics.relay(float(sys.argv[1]), 1)
metrics.audit_checked("country", "served")
metrics.audit_stale("unheard-of")
metrics.audit_age(float(sys.argv[1]))
metrics.audit_age(1.0)
metrics.condition(
    redis_up=True, cache_on=sys.argv[1] == "5", postgresql_up=True, relay_leads=sys.argv[1] == "5", audit_runs=True
)
metrics.connections("load", int(sys.argv[1]), 10)
metrics.redis_memory(used_bytes=100 * int(sys.argv[1]), limit_bytes=1000, evicted_keys=7, can_evict=True)
print("ready", flush=True)
sys.stdin.readline()
print(expose(metrics.registry, "")[0].decode())
"""


EVEN_ZERO = ("aside_cache_on", "aside_relay_leading")


def start(folder: Path, reads: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(Path.cwd())}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(reads)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def scrape(worker: subprocess.Popen[str]) -> dict[str, float]:
    text, _ = worker.communicate("now\n", timeout=20)
    families = text_string_to_metric_families(text)
    return {s.name: s.value for family in families for s in family.samples if s.value or s.name in EVEN_ZERO}


@pytest.mark.parametrize("scraped", [0, 1])
def test_totals_are_right_whichever_worker_answers(tmp_path: Path, scraped: int) -> None:
    workers = [start(tmp_path, 2), start(tmp_path, 5)]
    seen = scrape(workers[scraped])
    scrape(workers[1 - scraped])
    assert seen["aside_cache_requests_total"] == 7
    assert seen["aside_request_seconds_count"] == 2
    assert seen["aside_db_loads_in_flight"] == 2
    assert seen["aside_heartbeat_age_seconds"] == 5  # the worker that sees it worst
    assert seen["aside_relay_lag_seconds"] == 5  # the worker that told last
    assert seen["aside_build_info"] == 1
    assert seen["aside_audit_checked_total"] == 2
    assert seen["aside_audit_stale_total"] == 2
    assert seen["aside_audit_oldest_stale_seconds"] == 5  # the oldest that any of them has found
    assert seen["aside_redis_up"] == 1
    assert seen["aside_cache_on"] == 0  # the worker that sees it worst
    assert seen["aside_relay_leading"] == 1  # one of them
    assert (seen["aside_db_connections_busy"], seen["aside_db_connections_allowed"]) == (7, 20)
    assert seen["aside_redis_memory_used_bytes"] == 500  # one server: the last look
    assert seen["aside_redis_evicted_keys"] == 7


def test_a_killed_worker_leaves_its_counts_and_takes_its_gauges_along(tmp_path: Path) -> None:
    survivor, victim = start(tmp_path, 2), start(tmp_path, 5)
    victim.kill()
    victim.communicate(timeout=20)
    seen = scrape(survivor)
    assert seen["aside_cache_requests_total"] == 7
    assert seen["aside_db_loads_in_flight"] == 1
    assert seen["aside_heartbeat_age_seconds"] == 2
    assert seen["aside_relay_leading"] == 0
    assert seen["aside_db_connections_allowed"] == 10
    assert seen["aside_audit_oldest_stale_seconds"] == 5  # what was found is not undone


def test_of_two_scrapes_that_find_the_same_dead_worker_none_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One:    lists the dead worker's file ─────────────────── removes it: it is gone
    other:                                 removes it
    """
    (tmp_path / "gauge_livesum_10000000.db").touch()
    listing = glob.glob

    def overtaken(pattern: str) -> list[str]:
        found = listing(pattern)
        for file in found:
            Path(file).unlink()
        return found

    monkeypatch.setattr("prometheus_client.multiprocess.glob.glob", overtaken)
    _forget_dead_workers(tmp_path)
    assert not list(tmp_path.iterdir())
