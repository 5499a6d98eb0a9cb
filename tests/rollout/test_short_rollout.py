"""The short form of `make rollout`: an upgrade with both versions at work, which restarts every replica under load."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.embedded import Valkey
from tests.rollout.load import KEYS
from tests.rollout.release import Release
from tests.rollout.stage import open_stage
from tests.rollout.starting import MIGRATING, migrate_together, start_together
from tests.rollout.upgrade import Upgrade, Upgraded
from tests.support.databases import DatabaseMint
from tests.support.figures import show


@pytest.mark.timeout(900)  # six starts; on a machine that does much besides, one may take a minute
def test_an_upgrade_one_by_one_fails_no_request_and_loses_no_write(
    database_mint: DatabaseMint, emptied: Valkey, old: Release, tmp_path: Path
) -> None:
    with database_mint.database(is_migrated=False) as url:
        upgraded = asyncio.run(upgrade({"DATABASE_URL": url, "REDIS_URL": emptied.url}, old, tmp_path))

    verdict = upgraded.verdict
    show(f"\n{verdict.requests} requests, {verdict.hits} hits, {verdict.writes} writes; tried again: {upgraded.door}")
    show(f"ready after {upgraded.ready_seconds}")
    for mixed in upgraded.mixed:
        show(mixed)
    assert verdict.wrong + upgraded.wrong == []
    assert verdict.writes > len(KEYS)
    assert {mixed.leader for mixed in upgraded.mixed} == {"old", "new"}
    assert all(mixed.purged.was_served for mixed in upgraded.mixed)


async def upgrade(urls: dict[str, str], old: Release, folder: Path) -> Upgraded:
    with open_stage(folder, urls, replicas=2, drain_seconds=1.5) as stage:
        await stage.migrate(old)
        await stage.start_all(old)
        return await Upgrade(stage, old, mixed_seconds=0.5).run(readers=6, writers=2, is_whole=False)


@pytest.mark.timeout(900)
def test_replicas_that_start_together_make_the_schema_once_and_one_of_them_leads(
    database_mint: DatabaseMint, emptied: Valkey, tmp_path: Path
) -> None:
    with database_mint.database(is_migrated=False) as url:
        urls = {"DATABASE_URL": url, "REDIS_URL": emptied.url}
        with open_stage(tmp_path, urls, replicas=3, drain_seconds=0, ASIDE_WORKERS="2", **MIGRATING) as stage:
            started = asyncio.run(start_together(stage, database_mint.server.log, workers=2))
    show(f"\nready after {started.ready_seconds}; {dict(started.made.created)}")
    assert started.wrong == []


def test_migrations_that_run_together_make_the_schema_once(database_mint: DatabaseMint) -> None:
    with database_mint.database(is_migrated=False) as url:
        _, wrong = asyncio.run(migrate_together(url, database_mint.server.log, 3))
    assert wrong == []
