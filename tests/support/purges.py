"""Purging in the test's process, beside a replica; and a change of a row that no trigger sees."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from service.cache.sweeping import SweepLane
from service.db.epochs import Epochs
from service.domain.job import Job, JobKind, JobOrigin, JobState
from service.services.purging import PurgeWanted, Purging
from tests.support.replica import KIND, Replica
from tests.support.world import World


def purging_of(world: World, replica: Replica) -> Purging:
    lane = SweepLane(replica.redis, replica.recorder)
    return Purging(lane, Epochs(replica.table._database), bound_seconds=world.bound_seconds)


async def walk(purging: Purging, wanted: PurgeWanted) -> dict[str, int]:
    """What a job of purging does, and what it has told at last."""
    told: list[dict[str, int]] = []
    await purging.run(job_of(wanted), lambda progress, **_: told.append(dict(progress)))
    return told[-1]


async def give_up(world: World, purging: Purging, entity_type: str | None = KIND) -> None:
    """A whole type, told to the cache by the relay's next poll."""
    giving_up = asyncio.create_task(purging.give_up(entity_type))
    while not giving_up.done():
        await world.relay.carry()
    await giving_up


async def change_unseen(world: World, number: int, entity_id: str = "x") -> None:
    """Another document of the same version: what purging is for."""
    connection = await world.connect()
    await connection.execute("SET session_replication_role = replica")
    statement = "UPDATE entity SET body = jsonb_build_object('n', $3::int) WHERE (entity_type, id) = ($1, $2)"
    assert await connection.execute(statement, KIND, entity_id, number) == "UPDATE 1"


def job_of(wanted: PurgeWanted, **members: Any) -> Job:
    now = datetime.now(UTC)
    common: dict[str, Any] = {
        "id": 1, "kind": JobKind.PURGE, "origin": JobOrigin.REQUEST, "wanted": wanted.as_json,
        "state": JobState.RUNNING, "progress": {}, "reached": None, "about": None, "cancel_requested": False,
        "error": None, "actor": None, "created_at": now, "started_at": now, "finished_at": None,
    }  # fmt: skip
    return Job(**{**common, **members})
