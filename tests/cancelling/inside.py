"""The first leg: two object graphs in this process, on real servers, and the storm through both."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AsyncExitStack

from service.cache.entry import NO_WISH
from service.domain.entity import EntityKey
from service.settings import PolicySettings, Settings
from tests.cancelling.disturbances import Disturbances
from tests.cancelling.findings import Findings
from tests.cancelling.graph import Graph, open_graph
from tests.cancelling.requests import KIND, Requests
from tests.cancelling.rest import await_rest, compare_with_postgresql, look
from tests.cancelling.storm import Storm
from tests.support.waiting import eventually

IDS = 60
TTL_SECONDS = 0.4
"""Short: misses, leases, fills and early refreshes go on all the time."""


def storm_settings(database_url: str, redis_url: str) -> Settings:
    short = PolicySettings(ttl_seconds=TTL_SECONDS)
    return Settings(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        default_policy=short,
        policies={"parameter": PolicySettings(ttl_seconds=TTL_SECONDS)},
    )


async def storm_inside(
    *, database_url: str, redis_url: str, cancellations: int, seed: int, disturb_every: int = 20_000,
    progressed: Callable[[int], None] = lambda _: None,
) -> Findings:  # fmt: skip
    findings, rng = Findings(), random.Random(seed)
    requests = Requests(findings, rng, ids=IDS)
    disturbances = Disturbances(findings, database_url=database_url, redis_url=redis_url, every=disturb_every)
    settings = storm_settings(database_url, redis_url)
    async with AsyncExitStack() as stack:
        graphs = [await stack.enter_async_context(open_graph(settings)) for _ in range(2)]
        for entity_id in requests.ids:
            await requests.write(graphs[0], entity_id)
            await requests.write_parameter(graphs[0], entity_id)
        for graph in graphs:
            await eventually(lambda graph=graph: _is_cached(graph))
            await requests.write_with_schema(graph, requests.ids[0])  # its checker's process runs from now on
        calm = await look(graphs, database_url=database_url, redis_url=redis_url)
        await Storm(graphs, requests, findings, disturbances, rng).rage(cancellations, progressed)
        await await_rest(graphs, calm, findings, database_url=database_url, redis_url=redis_url)
        for graph in graphs:
            await compare_with_postgresql(graph, requests.ids, findings, database_url=database_url)
    return findings


async def _is_cached(graph: Graph) -> bool:
    await graph.entities.get(EntityKey(KIND, "id-0"), NO_WISH)
    return (await graph.entities.get(EntityKey(KIND, "id-0"), NO_WISH)).outcome == "hit"
