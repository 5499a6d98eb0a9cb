"""The pages work without a network."""

from __future__ import annotations

import re

import httpx
import pytest

PAGES = ["/docs", "/redoc"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_names_no_other_host(client: httpx.AsyncClient, page: str) -> None:
    answer = await client.get(page)
    assert answer.status_code == 200
    assert "//" not in re.sub(r"(?m)^\s*<!--.*?-->|//\s.*$", "", answer.text)


@pytest.mark.parametrize("page", PAGES)
async def test_everything_that_a_page_loads_is_served_here(client: httpx.AsyncClient, page: str) -> None:
    html = (await client.get(page)).text
    named = re.findall(r"""(?:src|href|spec-url|url:)\s*=?\s*["']([^"']+)["']""", html)
    assert "/openapi.json" in named
    assert any(name.endswith(".js") for name in named)
    assert any(name.endswith("favicon.png") for name in named)
    for name in named:
        answer = await client.get(name)
        assert (answer.status_code, len(answer.content) > 100) == (200, True), name


@pytest.mark.parametrize("page", PAGES)
async def test_the_browser_is_told_to_load_nothing_from_elsewhere(client: httpx.AsyncClient, page: str) -> None:
    policy = (await client.get(page)).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "*" not in policy


async def test_the_document_is_not_shown_to_a_validator_on_the_internet(client: httpx.AsyncClient) -> None:
    assert '"validatorUrl": null' in (await client.get("/docs")).text


async def test_behind_a_proxys_prefix_the_pages_find_their_files(client: httpx.AsyncClient) -> None:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    transport.root_path = "/aside"
    html = (await client.get("/docs")).text
    assert "'/aside/openapi.json'" in html
    assert "/aside/docs/assets/swagger-ui-bundle.js" in html
