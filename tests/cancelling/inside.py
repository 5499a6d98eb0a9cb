"""The first leg: two object graphs in this process, on real servers, and the storm through both."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

from service.cache.entry import NO_WISH, Outcome
from service.domain.entity import EntityKey
from service.errors import AsideError
from service.settings import PolicySettings, Settings
from tests.cancelling.disturbances import Disturbances
from tests.cancelling.findings import Findings
from tests.cancelling.graph import Graph, open_graph
from tests.cancelling.requests import KIND, Requests
from tests.cancelling.rest import SECONDS, await_rest, compare_with_postgresql, look, when_calm
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
        watch = partial(look, graphs, database_url=database_url, redis_url=redis_url)
        for graph in graphs:
            await eventually(partial(_is_warm, graph, requests), within_seconds=SECONDS)
        calm = await when_calm(watch)
        await Storm(graphs, requests, findings, disturbances, rng).rage(cancellations, progressed)
        for graph in graphs:
            await eventually(partial(_is_warm, graph, requests), within_seconds=SECONDS)
        await await_rest(graphs, calm, findings, database_url=database_url, redis_url=redis_url)
        for graph in graphs:
            await compare_with_postgresql(graph, requests.ids, findings, database_url=database_url)
    return findings


async def _is_warm(graph: Graph, requests: Requests) -> bool:
    """It trusts the cache, and the process that checks schemas runs: a cancelled check has ended it."""
    try:
        await requests.write_with_schema(graph, requests.ids[0])
        await requests.read(graph, requests.ids[0])
        answer = await graph.entities.get(EntityKey(KIND, requests.ids[0]), NO_WISH)
    except AsideError:
        return False
    return answer.outcome is Outcome.HIT
