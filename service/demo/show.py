"""The demonstration itself: each line is one request, what the service said of it, and how long it took."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Sequence
from typing import Any

import httpx
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.demo.data import Document, documents
from service.demo.lines import console, show
from service.demo.outage import show_outage
from service.demo.parameters import show_parameters

_CLIENTS = 4
_WRITERS, _BATCH = 4, 100
_READS = 2_000
_EXAMPLE = "/v1/entities/subdivision/JP-13"


def run(base_url: str, *, with_outage: bool) -> int:
    """The exit code: 0, or 1 where no service answers at ``base_url``."""
    try:
        asyncio.run(_run(base_url, with_outage=with_outage))
    except httpx.TransportError as error:
        console.print(f"[red]No service answers at {escape(base_url)}[/] ({type(error).__name__}). Start it: make run")
        return 1
    return 0


async def _run(base_url: str, *, with_outage: bool) -> None:
    limits = httpx.Limits(max_connections=_CLIENTS, max_keepalive_connections=_CLIENTS)
    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=10) as client:
        (await client.get("/livez")).raise_for_status()
        loaded = await _load(client, list(documents()))
        await _show_one_entity(client)
        await _show_reads(client, loaded)
        await show_parameters(client)
    if with_outage:
        await show_outage()
    console.print(f"\nLook further: [bold]{base_url}/docs[/] to try calls, [bold]{base_url}/metrics[/] for counters.")


async def _load(client: httpx.AsyncClient, all_documents: Sequence[Document]) -> list[str]:
    """Write everything, in batches, with some clients at once."""
    columns = (TextColumn("Writing ISO 3166"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    started = time.perf_counter()
    batches = [all_documents[first : first + _BATCH] for first in range(0, len(all_documents), _BATCH)]
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(all_documents))

        async def write() -> None:
            while batches:
                batch = batches.pop()
                written = await client.post("/v1/batch-write", json={"writes": [each.as_write for each in batch]})
                written.raise_for_status()
                progress.advance(bar, len(batch))

        await asyncio.gather(*[write() for _ in range(_WRITERS)])
    seconds = time.perf_counter() - started
    count = len(all_documents)
    console.print(
        f"Wrote {count:,} entities, {_BATCH} in each transaction, in {seconds:.1f} s: {count / seconds:,.0f}/s.\n"
    )
    return [document.path for document in all_documents]


async def _show_one_entity(client: httpx.AsyncClient) -> None:
    """A miss, a hit, a write, the read after it, a deletion, a negative hit."""
    document = (await client.get(_EXAMPLE)).json()
    await client.put(_EXAMPLE, json=document)  # so that the first line below is a miss, also when this runs again
    console.print(f"One entity, {_EXAMPLE}:")

    def line(what: str, method: str, **request: Any) -> Awaitable[httpx.Response]:
        return show(client, what, method, _EXAMPLE, **request)

    miss = await line("a miss: loaded and kept", "GET")
    await line("a hit", "GET")
    await line("still what you have", "GET", headers={"If-None-Match": miss.headers["etag"]})
    await line("a write", "PATCH", json={"nickname": "the big one"})
    await line("the read after it", "GET")
    await line("a hit again", "GET")
    await line("an outdated write", "PUT", json={}, headers={"If-Match": miss.headers["etag"]})
    await line("a deletion", "DELETE")
    await line("it does not exist", "GET")
    await line("a negative hit", "GET")
    await line("back, and newer", "PUT", json=document)


async def _show_reads(client: httpx.AsyncClient, paths: Sequence[str]) -> None:
    """Reads as they come in practice: few keys often, many keys rarely."""
    weights = [1 / (rank + 1) for rank in range(len(paths))]
    wanted = random.choices(paths, weights, k=_READS)  # noqa: S311 (no secrets here)
    outcomes: Counter[str] = Counter()
    times: dict[str, list[float]] = {}

    async def read() -> None:
        while wanted:
            path = wanted.pop()
            started = time.perf_counter()
            response = await client.get(path)
            outcome = "hit" if "; hit" in response.headers["cache-status"] else "miss"
            outcomes[outcome] += 1
            times.setdefault(outcome, []).append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    await asyncio.gather(*[read() for _ in range(_CLIENTS)])
    rate = _READS / (time.perf_counter() - started)
    console.print(f"\n{_READS:,} reads of {len(paths):,} entities (Zipf), {_CLIENTS} clients, {rate:,.0f}/s:")
    for outcome in ("hit", "miss"):
        found = sorted(times.get(outcome, []))
        if found:
            p50, p99 = found[len(found) // 2], found[min(len(found) - 1, len(found) * 99 // 100)]
            console.print(f"  {outcome:<5}{outcomes[outcome]:>6,}   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms")
    console.print(f"  hit ratio [bold]{outcomes['hit'] / _READS:.1%}[/], out of a cache that knew none of them before")
