"""The service starts and listens whatever is missing, and uses it as soon as it is there."""

from __future__ import annotations

from collections import Counter

import pytest

from service.embedded import Postgres
from tests.conftest import Replicas, ValkeyFactory
from tests.support.figures import show
from tests.support.load import Traffic, reads
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    "missing", [{"postgresql"}, {"valkey"}, {"postgresql", "valkey"}], ids=["postgresql", "valkey", "both"]
)
async def test_the_service_listens_without_its_servers_and_recovers_when_they_appear(
    replicas: Replicas,
    valkey_factory: ValkeyFactory,
    empty_mortal_database_url: str,
    mortal_postgres: Postgres,
    missing: set[str],
) -> None:
    valkey = valkey_factory()
    if "postgresql" in missing:
        mortal_postgres.kill()
    if "valkey" in missing:
        valkey.kill()
    (replica,) = replicas(
        DATABASE_URL=empty_mortal_database_url,
        REDIS_URL=valkey.url,
        ASIDE_BOUND_SECONDS="1",
        ASIDE_MIGRATE_ON_START="true",
    )
    async with Traffic([replica.url]) as traffic:
        lives = await traffic.get("/livez")
        if "postgresql" not in missing:
            await eventually(lambda: is_ready(traffic))  # the schema is there by then
        ready = await traffic.get("/readyz")
        answers = [await traffic.read("early") for _ in range(5)]

        if "postgresql" in missing:
            mortal_postgres.start()
        if "valkey" in missing:
            valkey.start()
        await traffic.until_cached()
        written = await traffic.write("early")
        await traffic.read("early")
        late = await traffic.read("early")

    show(f"\nwithout {missing}: {ready.status_code} {ready.json()}")
    show(Counter((answer.status, answer.outcome) for answer in reads(traffic.history)))
    assert lives.status_code == 200
    if "postgresql" in missing:
        assert ready.status_code == 503
        assert {answer.status for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    else:
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert {(answer.status, answer.outcome) for answer in answers} == {(404, "off")}
    assert (written.status, late.status, late.outcome) == (201, 200, "hit")
    assert late.version == written.version


async def test_whoever_makes_the_schema_uses_the_cache_at_once(replicas: Replicas, empty_database_url: str):
    """The relay has found no schema before, and would look again when a part of the bound has passed: 18 s here."""
    (replica,) = replicas(DATABASE_URL=empty_database_url, ASIDE_BOUND_SECONDS="60", ASIDE_MIGRATE_ON_START="true")
    async with Traffic([replica.url]) as traffic:
        await eventually(lambda: is_ready(traffic))
        await traffic.until_cached(within_seconds=9)


async def is_ready(traffic: Traffic) -> bool:
    return (await traffic.get("/readyz")).status_code == 200
