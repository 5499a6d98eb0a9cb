"""Valkey is gone: what everybody still answers, and how many connections to PostgreSQL Aside keeps busy meanwhile."""

from __future__ import annotations

import asyncio

from service.settings import DatabaseSettings
from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import ASIDE, LOADERS
from tests.bench.figures import Found, Load
from tests.bench.stage import Target
from tests.bench.wrk import Shape
from tests.support.activity import Seen, watched

LOOK_SECONDS = 0.02
OTHER_CONNECTIONS = 8
"""Of a process, beside those that its settings name; see docs/configuration.md."""


def measure(bench: Bench) -> Found:
    allowed = DatabaseSettings()
    every = allowed.load_connections + allowed.write_connections + allowed.browse_connections + OTHER_CONNECTIONS
    looks: list[Seen] = []

    def shape_of(target: Target, number: int) -> Shape:
        return Shape(
            head=target.head.format("item"), keys=bench.plan.keys, place=number, connections=bench.plan.connections
        )

    def load(target: Target, shape: Shape) -> Load:
        if target.name != ASIDE:
            return bench.load(target, shape)
        load, seen = asyncio.run(_watched_load(bench, target, shape))
        looks.append(seen)
        return load

    with bench.no_valkey():
        found = bench.compare(LOADERS, shape_of, measure=load)
    found.figures["connections that load, at most"] = [float(max(seen.loading)) for seen in looks]
    found.figures["connections at all, at most"] = [float(max(seen.connected)) for seen in looks]
    found.facts = {
        "load_connections": allowed.load_connections, "connections": every,
        "looks": sum(len(seen.loading) for seen in looks),
    }  # fmt: skip
    return found


async def _watched_load(bench: Bench, target: Target, shape: Shape) -> tuple[Load, Seen]:
    async with watched(bench.stage.postgres.url, every_seconds=LOOK_SECONDS) as seen:
        return await asyncio.to_thread(bench.load, target, shape), seen


CELLS = (Cell("outage", "Valkey killed: 64 connections, 250 B, any of 1,000 keys", measure, loads(len(LOADERS))),)
