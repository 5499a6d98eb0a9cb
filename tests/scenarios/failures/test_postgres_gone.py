"""PostgreSQL dies, or stands still: old values where that is allowed, honest refusals elsewhere, and no help needed."""

from __future__ import annotations

from collections import Counter

import pytest

from service.embedded import Postgres
from tests.conftest import Replicas, ValkeyFactory
from tests.support.checker import violations
from tests.support.figures import show
from tests.support.load import Operation, Traffic, quantiles
from tests.support.waiting import eventually, lasting

KEYS = [f"kept-{number}" for number in range(6)]
BOUND_SECONDS = 1.0
STATEMENT_SECONDS = 1.0
MACHINE_SECONDS = 0.75
LENIENT, STRICT = 0, 1


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_old_values_are_served_only_where_the_policy_allows_and_marked_until_postgresql_is_back(
    replicas: Replicas,
    valkey_factory: ValkeyFactory,
    empty_mortal_database_url: str,
    mortal_postgres: Postgres,
    how: str,
) -> None:
    common = {
        "DATABASE_URL": empty_mortal_database_url,
        "REDIS_URL": valkey_factory().url,
        "ASIDE_BOUND_SECONDS": f"{BOUND_SECONDS:g}",
        "ASIDE_MIGRATE_ON_START": "true",
        "ASIDE_DATABASE__STATEMENT_TIMEOUT_SECONDS": f"{STATEMENT_SECONDS:g}",
        "ASIDE_DATABASE__CONNECT_TIMEOUT_SECONDS": f"{STATEMENT_SECONDS:g}",
    }
    (lenient,) = replicas(**common, ASIDE_DEFAULT_POLICY__STALE_IF_ERROR_SECONDS="60")
    (strict,) = replicas(**common)
    async with Traffic([lenient.url, strict.url]) as traffic:
        await traffic.until_cached()
        versions = {key: (await traffic.write(key)).version for key in KEYS}
        for key in KEYS:
            await traffic.read(key, replica=LENIENT)
        traffic.history.clear()
        async with traffic.hammering(KEYS, readers=6, pause_seconds=0.02):
            mortal_postgres.kill() if how == "killed" else mortal_postgres.pause()
            await lasting(BOUND_SECONDS + STATEMENT_SECONDS + 0.5)
        outage = list(traffic.history)
        alone = [await traffic.read(KEYS[0], replica=STRICT), await traffic.write(KEYS[0], replica=STRICT)]
        known = await traffic.read(KEYS[0], replica=LENIENT)
        health = {page: [(await traffic.get(page, replica=n)) for n in (LENIENT, STRICT)] for page in PAGES}

        mortal_postgres.start() if how == "killed" else mortal_postgres.resume()
        await eventually(lambda: has_postgresql(traffic))
        await traffic.until_cached()
        traffic.history.clear()
        async with traffic.hammering(KEYS, readers=4, writers=1):
            await lasting(0.3)
        assert [operation for operation in traffic.history if operation.status != 200] == []
        assert violations(traffic.history) == []

    seconds = [operation.seconds for operation in outage]
    show(f"\n{how}: {Counter((o.url == strict.url, o.status, o.outcome) for o in outage)} {quantiles(seconds)}")
    assert max(seconds) <= STATEMENT_SECONDS + 0.25 + MACHINE_SECONDS
    assert all(served_as_policy_says(operation, strict.url, versions) for operation in [*outage, *alone, known])
    assert (known.status, known.outcome) == (200, "stale")
    assert [operation.status for operation in alone] == [503, 503]
    assert [answer.status_code for answer in health["/livez"]] == [200, 200]
    assert [answer.status_code for answer in health["/readyz"]] == [200, 503]
    assert all(answer.json()["components"]["postgresql"] != "ok" for answer in health["/readyz"])


PAGES = ("/livez", "/readyz")


def served_as_policy_says(operation: Operation, strict_url: str, versions: dict[str, int | None]) -> bool:
    """A hit while the heartbeat lives; then the old value, marked, or a refusal with all that belongs to it."""
    if operation.status == 200:
        marked = "detail=stale-if-error" in operation.cache_status and not operation.url.startswith(strict_url)
        return operation.version == versions[operation.key] and (operation.outcome in {"hit", "miss", "off"} or marked)
    refused = operation.status == 503 and operation.url.startswith(strict_url)
    is_problem = operation.headers.get("content-type") == "application/problem+json"
    return refused and is_problem and int(operation.headers["retry-after"]) > 0


async def has_postgresql(traffic: Traffic) -> bool:
    """The lenient one is ready all the time: what counts is what both say of PostgreSQL."""
    answers = [await traffic.get("/readyz", replica=number) for number in (LENIENT, STRICT)]
    return [answer.json()["components"]["postgresql"] for answer in answers] == ["ok", "ok"]
