"""Writes: PUT of whole documents, each of them durable when it is acknowledged."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import ASIDE, PLAIN, PLAIN_NO_RESET
from tests.bench.figures import Found
from tests.bench.plan import BODY_BYTES
from tests.bench.stage import Target
from tests.bench.wrk import Shape

NAMES = (ASIDE, PLAIN, PLAIN_NO_RESET)
_FRAME = '{"id": "NUMBER", "text": ""}'


def measure(bench: Bench) -> Found:
    """The same server, the same settings for both: fsync, full_page_writes and synchronous_commit are on."""
    return bench.compare(NAMES, lambda target, number: put_of(bench, target, number))


def put_of(bench: Bench, target: Target, number: int) -> Shape:
    """Any of the keys that are written, each request with another document."""
    document = bench.stage.folder / "document.json"
    document.write_text(_FRAME[:-2] + "x" * (BODY_BYTES["item"] - len(_FRAME) - 1) + '"}\n')
    return Shape(
        head=target.head.format("written"), method="PUT", choice="document", file=document,
        keys=bench.plan.written_keys, place=number * 1_000_000, connections=bench.plan.connections,
    )  # fmt: skip


CELLS = (Cell("writes", "PUT: 64 connections, 250 B, any of 10,000 keys", measure, loads(len(NAMES))),)
