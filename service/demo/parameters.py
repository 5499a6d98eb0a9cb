"""Parameters: set, get, refused values, the way back, deleted; and how often many of them are found in the cache."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter

import httpx

from service.demo.lines import console, show

_KEY = "/v1/parameters/demo:config:max_users"
_LIMIT = {"type": "integer", "value": 100, "schema": {"minimum": 1, "maximum": 1000}}
_COUNT = 200
_READS = 1_000
_CLIENTS = 4


async def show_parameters(client: httpx.AsyncClient) -> None:
    console.print(f"\nOne parameter, {_KEY}:")
    ann = {"Aside-Actor": "ann", "Aside-Reason": "the demo"}
    first = await show(client, "set", "PUT", _KEY, json=_LIMIT, headers=ann)
    await show(client, "get: a hit already", "GET", _KEY)
    value = await show(client, "its bare value", "GET", f"{_KEY}/value")
    console.print(f"    {value.text}", markup=False)
    for what, wrong in (("a text is no integer", "150"), ("more than its schema allows", 1500)):
        refused = await show(client, what, "PUT", _KEY, json={**_LIMIT, "value": wrong})
        console.print(f"    {refused.json()['detail']}", markup=False)
    larger = {**_LIMIT, "value": 150}
    would = await show(client, "what would change", "PUT", f"{_KEY}?dry_run=true", json=larger)
    console.print(f"    {json.dumps(would.json()['patch'])}", markup=False)
    await show(client, "set again", "PUT", _KEY, json=larger, headers={**ann, "If-Match": first.headers["etag"]})
    await show(client, "the next get: a hit", "GET", _KEY)
    await show(client, "who was late", "PUT", _KEY, json=_LIMIT, headers={"If-Match": first.headers["etag"]})
    back = {"version": int(first.headers["etag"].strip('"'))}
    await show(client, "back to the first version", "POST", f"{_KEY}/rollback", json=back)
    for version in (await client.get(f"{_KEY}/versions?limit=3")).json()["versions"]:
        told = (version[name] for name in ("version", "kind", "value", "actor", "reason"))
        console.print(f"    {' · '.join(map(str, told))}", markup=False)
    await show(client, "deleted", "DELETE", _KEY)
    await show(client, "gone: a negative hit", "GET", _KEY)
    await _show_hit_ratio(client)


async def _show_hit_ratio(client: httpx.AsyncClient) -> None:
    """Half of them are set first, and so are in the cache already; of the others it learns that there are none."""
    paths = [f"/v1/parameters/demo:many:{number}" for number in range(_COUNT)]
    for path in paths[: _COUNT // 2]:
        (await client.put(path, json={"type": "integer", "value": random.randrange(100)})).raise_for_status()  # noqa: S311
    wanted = random.choices(paths, k=_READS)  # noqa: S311 (no secrets here)
    outcomes: Counter[str] = Counter()

    async def read() -> None:
        while wanted:
            answer = await client.get(wanted.pop())
            outcomes["hit" if "; hit" in answer.headers["cache-status"] else "miss"] += 1

    started = time.perf_counter()
    await asyncio.gather(*[read() for _ in range(_CLIENTS)])
    rate = _READS / (time.perf_counter() - started)
    console.print(
        f"\n{_READS:,} reads of {_COUNT} parameters, half of them just set, half of them unset, {rate:,.0f}/s: "
        f"hit ratio [bold]{outcomes['hit'] / _READS:.1%}[/]"
    )
