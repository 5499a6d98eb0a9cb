"""One request, one line: what it was for, what the service said of it, how long it took."""

from __future__ import annotations

import time
from typing import Any

import httpx
from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


async def show(client: httpx.AsyncClient, what: str, method: str, path: str, **request: Any) -> httpx.Response:
    """Send it, print its line, return the answer."""
    started = time.perf_counter()
    response = await client.request(method, path, **request)
    ms = (time.perf_counter() - started) * 1000
    settled = response.headers.get("aside-cache")
    told = response.headers.get("cache-status") or (f"Aside-Cache: {settled}" if settled else "")
    answer = f"{response.status_code} {response.headers.get('etag', '')}"
    console.print(f"  {what:<28} {method:<6} {answer:<12} {told:<30} {ms:6.1f} ms", markup=False)
    return response
