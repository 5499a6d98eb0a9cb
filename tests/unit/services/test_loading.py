"""Which source answers for which type, and how many queries run at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.cache.recorder import NullRecorder
from service.domain.entity import EntityKey
from service.domain.row import Coverage, VersionedRow
from service.services.loading import SourceLoader


class Source:
    """Answers with its own name; keeps what it was asked."""

    running = 0
    most_at_once = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[list[str]] = []

    async def load(self, keys: Sequence[EntityKey]) -> list[VersionedRow]:
        self.asked.append([key.id for key in keys])
        Source.running += 1
        Source.most_at_once = max(Source.most_at_once, Source.running)
        await asyncio.sleep(0)
        Source.running -= 1
        return [VersionedRow(1, f"{self.name} {key.id}".encode()) for key in keys]

    async def load_with_coverage(self, keys: Sequence[EntityKey]) -> list[tuple[VersionedRow, Coverage]]:
        return [(row, Coverage(covered=True, wait_seconds=0)) for row in await self.load(keys)]


def loader_of(entities: Source, parameters: Source, *, in_flight: int = 1) -> SourceLoader:
    return SourceLoader(
        entities, NullRecorder(), in_flight=in_flight, batch_size=100, timeout_seconds=5,
        sources={"parameter": parameters},
    )  # fmt: skip


async def test_each_type_is_loaded_from_its_own_source_and_each_source_is_asked_once():
    entities, parameters = Source("entity"), Source("parameter")
    loader = loader_of(entities, parameters)
    names = ["country:JP", "parameter:a", "city:T", "parameter:b:c"]
    rows = await asyncio.gather(*[loader.load(name) for name in names])
    assert [row.body for row in rows] == [b"entity JP", b"parameter a", b"entity T", b"parameter b:c"]
    assert (entities.asked, parameters.asked) == ([["JP", "T"]], [["a", "b:c"]])


async def test_sources_share_the_number_of_queries_in_flight():
    entities, parameters = Source("entity"), Source("parameter")
    loader = loader_of(entities, parameters, in_flight=2)
    Source.most_at_once = 0
    waiting = []
    for n in range(20):
        waiting += [asyncio.create_task(loader.load(f"{kind}:{n}")) for kind in ("country", "parameter")]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert Source.most_at_once <= 2


async def test_coverage_comes_from_the_source_of_the_type():
    loader = loader_of(Source("entity"), Source("parameter"))
    row, coverage = await loader.load_with_coverage("parameter:a")
    assert (row.body, coverage.covered) == (b"parameter a", True)


async def test_it_tells_how_many_queries_are_under_way():
    entities = Source("entity")
    loader, load, seen = loader_of(entities, Source("parameter"), in_flight=2), entities.load, []

    async def spied(keys):
        seen.append(loader.in_flight)
        return await load(keys)

    entities.load = spied
    await asyncio.gather(loader.load("country:JP"), loader.load("parameter:a"))
    assert (seen, loader.in_flight, loader.most_in_flight) == ([1], 0, 2)
