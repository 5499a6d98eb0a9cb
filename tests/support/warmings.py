"""A warming in the test's process, on the connections of a replica, whose gates stop it before and after each query."""

from __future__ import annotations

import asyncio

from service.cache.policy import Policy
from service.cache.warming import PageLane
from service.db.listing import EntityListing
from service.domain.entity import EntityKey
from service.services.manners import ALONE
from service.services.warming import Tally, Wanted, Warming
from tests.support.replica import KIND, Replica

INSERT = f"INSERT INTO entity (entity_type, id, body) VALUES ('{KIND}', $1, '{{\"n\": 1}}')"
UPDATE = f"UPDATE entity SET body = '{{\"n\": 2}}' WHERE entity_type = '{KIND}' AND id = $1"

INSTALLED = Tally(rows=1, installed=1)
REFUSED = Tally(rows=1, refused=1)
"""What becomes of the one row that most races need."""


def warming_of(
    replica: Replica, *, lanes: int = 1, page_size: int = 100, lease_ms: int = 10_000, patience_seconds: float = 0.0,
    policy: Policy | None = None,
) -> Warming:  # fmt: skip
    """`gates.loading` stands between a page's lease and its query, `gates.loaded` between the query and the fill."""
    return Warming(
        [PageLane(replica.redis, replica.recorder, lease_ms=lease_ms) for _ in range(lanes)],
        replica.redis,
        EntityListing(replica.table._database),
        lambda _: replica.source,
        lambda _: policy or Policy(),
        patience_seconds=patience_seconds,
        manner=ALONE._replace(page_size=page_size, pages_in_flight=lanes),
    )


def begin_warming(replica: Replica, *ids: str) -> asyncio.Task[Tally]:
    """Warm these ids of the type that the races use; a gate may stop it."""
    wanted = Wanted(keys=tuple(EntityKey(KIND, each) for each in ids or ("x",)))
    return asyncio.create_task(warming_of(replica).run(wanted))
