"""From the start of a process to the moment at which it says that it is ready, with the schema there."""

from __future__ import annotations

import time

import httpx

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell
from tests.bench.cores import undivided
from tests.bench.figures import Found

LONGEST_SECONDS = 60.0
_EXPECTED_SECONDS = 4.0


def measure(bench: Bench) -> Found:
    """Nothing is pinned. Both servers answer, and another replica leads the relay: as when one replica is exchanged."""
    seconds = []
    with (
        undivided(bench.stage.cores),
        bench.stage.aside("leads", is_pinned=False),
        httpx.Client(verify=False) as client,
    ):
        for number in range(bench.plan.starts):
            began = time.monotonic()
            with bench.stage.aside(f"start-{number}", is_pinned=False) as process:
                while client.get(f"{process.url}/readyz").json()["status"] != "ready":
                    assert time.monotonic() - began < LONGEST_SECONDS, process.log
                    time.sleep(0.005)
                seconds.append(time.monotonic() - began)
            bench.passed(_EXPECTED_SECONDS)
    return Found(figures={"seconds to ready": seconds})


CELLS = (
    Cell("start", "from the start of a process to ready", measure, lambda plan: plan.starts * _EXPECTED_SECONDS),
)  # fmt: skip
