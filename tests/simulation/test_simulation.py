"""The real service under the simulation, in small: no promise is broken, and the swarm does go to all the corners."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.campaign import Tally, run_seeds
from tests.simulation.clock import simulated_hosts
from tests.simulation.world import simulate

ROOT = Path(__file__).parents[2]
SEEDS = 500
REPLAYED = (3, 17, 40)

HAPPENS = (
    "fill refused", "fill stored", "lease busy", "apply raised", "apply replaced", "apply dropped", "apply kept",
    "early refresh", "lease wait", "write deferred", "write applied", "write precondition_failed", "write not_found",
    "grant granted", "grant applied", "grant late", "grant superseded", "idle session ended", "script sent again",
    "read hit", "read negative_hit", "read miss", "read bypass", "read off",
    "fault crash", "fault pause", "fault evict", "fault flush", "fault restart redis", "fault fail over",
    "fault cut redis", "fault cut postgres", "fault terminate backend", "fault restart postgres", "fault plain sql",
    "fault truncate", "fault redis clock", "fault forget scripts",
    "put: WriteOutcomeUnknownError", "get: cancelled", "get: lost", "get-many: hit",
)  # fmt: skip


@pytest.fixture(scope="module")
def tally() -> Tally:
    return run_seeds(range(SEEDS))


def test_no_promise_is_broken(tally: Tally):
    assert not tally.violations


@pytest.mark.parametrize("what", HAPPENS)
def test_it_happens_at_least_once(tally: Tally, what: str):
    assert tally.counts[what] > 0


def test_a_seed_replays_event_by_event():
    for seed in REPLAYED:
        first: list[str] = []
        second: list[str] = []
        with simulated_hosts():
            results = [simulate(seed, trace=trace) for trace in (first, second)]
        assert first == second
        assert len(first) > 100
        assert results[0].fingerprint == results[1].fingerprint


def test_a_trace_changes_nothing():
    with simulated_hosts():
        assert simulate(5).fingerprint == simulate(5, trace=[]).fingerprint


def test_a_seed_replays_in_a_process_with_other_hashes():
    told = []
    for hashes in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "17", "--trace"],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hashes}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        told.append(result.stdout)
    assert told[0] == told[1]
    assert told[0].count("\n") > 100
