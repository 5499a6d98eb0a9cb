"""Batch reads: items per second beside single reads per second."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import NamedTuple

from tests.bench.asking import Answer, Connection
from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import ASIDE
from tests.bench.figures import Found
from tests.bench.wrk import Shape

ITEMS = 100
BODIES = 200
_FILE = "batches.json"


class Route(NamedTuple):
    """``names`` is what the keys are called in the request's body."""

    single: str
    batch: str
    names: str
    entity_type: str


ENTITIES = Route("/v1/entities/item/", "/v1/entities/item/batch-read", "ids", "item")
PARAMETERS = Route("/v1/parameters/", "/v1/parameters/batch-read", "keys", "parameter")


def measure(bench: Bench) -> Found:
    """Entities; parameters where the service has no such route for entities, which is then said."""
    url = bench.stage.targets[ASIDE].url
    route = ENTITIES if asyncio.run(_post(url, ENTITIES, ["1"])).status == 200 else PARAMETERS
    found = _measure(bench, url, route)
    if route is PARAMETERS:
        found.left_out["entities"] = "POST /v1/entities/{entity_type}/batch-read is not there: these are parameters"
    return found


def _measure(bench: Bench, url: str, route: Route) -> Found:
    keys = [str(number) for number in range(1, bench.plan.keys + 1)]
    for first in range(0, len(keys), ITEMS):
        _check(asyncio.run(_post(url, route, keys[first : first + ITEMS])))
    file = _bodies(bench.stage.folder / _FILE, route, keys)
    shapes = {
        "single": Shape(head=route.single, keys=len(keys), connections=bench.plan.connections),
        "batch": Shape(head=route.batch, method="POST", choice="bodies", file=file, connections=bench.plan.connections),
    }
    found = Found(facts={"items": ITEMS, "of": route.entity_type})
    for number in range(bench.plan.rounds):
        for name, shape in shapes.items():
            found.loads.setdefault(name, []).append(bench.load(bench.stage.targets[ASIDE], shape.moved(number)))
            bench.passed(bench.plan.load_seconds)
    return found


def _bodies(file: Path, route: Route, keys: list[str]) -> Path:
    chance = random.Random(1)
    file.write_text("".join(json.dumps({route.names: chance.sample(keys, ITEMS)}) + "\n" for _ in range(BODIES)))
    return file


def _check(answer: Answer) -> None:
    """Every item was found, so that a quick refusal is not taken for quick work."""
    assert answer.status == 200, answer
    [items] = [member for member in json.loads(answer.body).values() if isinstance(member, list)]
    assert len(items) == ITEMS, len(items)
    assert all(item["status"] == 200 for item in items), items[0]


async def _post(url: str, route: Route, keys: list[str]) -> Answer:
    body = json.dumps({route.names: keys})
    head = f"POST {route.batch} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    connection = await Connection.open(url)
    try:
        return await connection.send(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    finally:
        connection.close()


CELLS = (Cell("batch", f"batch reads of {ITEMS} warm keys beside single reads", measure, loads(2)),)
