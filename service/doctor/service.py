"""Looks at a service that runs, as any client may."""

from __future__ import annotations

import re

import httpx

from service.doctor.facts import ServiceFacts

_VERSION = re.compile(r'^aside_build_info\{[^}]*version="([^"]+)"', re.MULTILINE)
_REQUEST_SECONDS = 3.0


async def look_at_service(url: str, *, api_key: str | None = None) -> ServiceFacts:
    """Raises httpx.HTTPError where nothing answers, or something else than Aside."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_REQUEST_SECONDS, trust_env=False) as client:
        readiness = _members_of(await client.get("/readyz"))
        stats = _members_of(await client.get("/v1/cache/stats"))
        version = _VERSION.search((await client.get("/metrics")).text)
    bound, components = stats.get("bound_seconds"), readiness.get("components")
    return ServiceFacts(
        status=str(readiness.get("status", "nothing that is known here")),
        components=components if isinstance(components, dict) else {},
        version=None if version is None else version[1],
        bound_seconds=bound if isinstance(bound, int | float) else None,
    )


def _members_of(response: httpx.Response) -> dict[str, object]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
