"""All cells, in the order in which they are run: who takes Valkey away comes last."""

from tests.bench.cells import (
    batch,
    cold,
    encrypted,
    eviction,
    expiry,
    floods,
    keys,
    many_keys,
    open_loop,
    outage,
    stampede,
    start,
    visibility,
    warm,
    workers,
    writes,
)
from tests.bench.cells.cell import Cell as Cell

CELLS: tuple[Cell, ...] = (
    *warm.CELLS, *keys.CELLS, *encrypted.CELLS, *workers.CELLS, *open_loop.CELLS, *batch.CELLS, *expiry.CELLS,
    *floods.CELLS, *stampede.CELLS, *visibility.CELLS, *start.CELLS, *cold.CELLS, *many_keys.CELLS, *eviction.CELLS,
    *writes.CELLS, *outage.CELLS,
)  # fmt: skip
