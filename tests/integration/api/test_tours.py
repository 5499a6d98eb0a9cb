"""The pages that show the API by curl: every command is run, in order, and what is claimed of it is true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.embedded import Valkey
from tests.support import tours
from tests.support.databases import DatabaseMint
from tests.support.service_process import ROOT, ServiceProcess
from tests.support.valkey_commands import command

PAGES = {
    "README.md": "A tour by curl",
    "docs/api.md": None,
    "docs/parameters.md": None,
    "docs/steering.md": None,
}
"""In the order in which they are read, and the section that is run where it is not the whole page."""


@pytest.fixture(scope="module")
def service(
    database_mint: DatabaseMint, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """As `make run` starts it, with nothing in it."""
    command(valkey.url, "FLUSHALL")
    log: Path = tmp_path_factory.mktemp("replica") / "log"
    with database_mint.database() as url:
        environment = {"DATABASE_URL": url, "REDIS_URL": valkey.url, "ASIDE_BOUND_SECONDS": "10"}  # a busy machine's
        example = {"ASIDE_EXAMPLE_ENTITY": "true", "ASIDE_MIGRATE_ON_START": "true"}
        replica = ServiceProcess(log, {**environment, **example}, is_forked=True)
        try:
            yield replica.start()
        finally:
            replica.kill()


@pytest.fixture(scope="module")
def toured(service: ServiceProcess, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All pages, one after the other, on the same service."""
    while httpx.get(f"{service.url}/readyz").json()["status"] != "ready":
        pass  # the test's own timeout ends it
    done = {}
    for page, section in PAGES.items():
        steps = tours.steps_of((ROOT / page).read_text(), section=section)
        done[page] = steps, tours.run(steps, service.url, tmp_path_factory.mktemp("tour"))
    return done


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_claims_of_its_commands_is_true(toured: dict[str, Any], page: str):
    steps, answers = toured[page]
    assert sum(step.is_claim for step in steps) >= 5, "a tour that claims nothing"
    found = tours.faults(steps, answers)
    assert not found, "\n\n".join([page, *found])


FALSE = """
```sh
base=http://127.0.0.1:8000
curl -s $base/livez                 # 201
curl -s $base/livez                 # 200, Content-Type: text/html
curl -s $base/livez                 # 200 → dead
curl -s $base/livez                 # 2OO
curl -s $base/nowhere
curl -s $base/nowhere               # words are no claim, so it must succeed
curl -s $base/livez \\
     -H 'X-Request-Id: seen'        # 200, X-Request-Id: seen, Content-Type: application/json → live — and this is true
curl -s "$base/nowhere#fragment"
# 404 → no-such-path
```
"""


def test_claims_that_are_not_true_are_found(service: ServiceProcess, tmp_path: Path):
    steps = tours.steps_of(FALSE)
    found = tours.faults(steps, tours.run(steps, service.url, tmp_path))
    assert [fault.splitlines()[2].strip() for fault in found] == [
        "answered with 200",
        "has no Content-Type: text/html",
        "does not say dead",
        "is a claim that cannot be read",
        "answered with 404",
        "answered with 404",
    ]
