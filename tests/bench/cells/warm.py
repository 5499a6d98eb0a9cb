"""Hits: a base case, and one factor changed at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import PLAIN_NO_RESET, READERS
from tests.bench.figures import Found
from tests.bench.stage import Target
from tests.bench.wrk import Shape
from tests.bench.zipf import zipf_table


def _warm(
    name: str, title: str, *, entity_type: str = "item", connections: int | None = None,
    zipf: bool = False, names: Sequence[str] = READERS,
) -> Cell:  # fmt: skip
    def measure(bench: Bench) -> Found:
        keys = bench.plan.keys
        file = _listed(bench.stage.folder, keys) if zipf else None
        bench.fill(names, entity_type, keys)

        def shape_of(target: Target, number: int) -> Shape:
            return Shape(
                head=target.head.format(entity_type), tail=target.tail, keys=keys, place=number, file=file,
                choice="listed" if zipf else "uniform", connections=connections or bench.plan.connections,
            )  # fmt: skip

        return bench.compare(names, shape_of)

    return Cell(name, title, measure, loads(len(names)))


def _listed(folder: Path, keys: int) -> Path:
    file = folder / "zipf.keys"
    file.write_text("".join(f"{key}\n" for key in zipf_table(keys)))
    return file


CELLS = (
    _warm("warm", "hits: 64 connections, 250 B, any of 1,000 keys", names=(*READERS, PLAIN_NO_RESET)),
    _warm("warm-c1", "hits, 1 connection", connections=1),
    _warm("warm-c8", "hits, 8 connections", connections=8),
    _warm("warm-c256", "hits, 256 connections", connections=256),
    _warm("warm-5kb", "hits, 5 KB", entity_type="medium"),
    _warm("warm-50kb", "hits, 50 KB", entity_type="large"),
    _warm("warm-zipf", "hits, keys by Zipf's law (s = 1)", zipf=True),
)
