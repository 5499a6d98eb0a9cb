"""The page at /dashboard is whole, is of this machine, and may do nothing but ask this service."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from hatchling.builders.wheel import WheelBuilder

from service.dashboard import STATIC

ROOT = Path(__file__).parents[3]
OURS = sorted(file for file in STATIC.rglob("*.*") if "vendor" not in file.parts)
NAMED = re.compile(r"""(?:src|href)="([^"#]+)"|from "(\./[^"]+)";""")


async def test_whatever_the_page_and_its_modules_name_is_served_here(client: httpx.AsyncClient) -> None:
    seen, to_visit = set(), ["/dashboard"]
    while to_visit:
        url = httpx.URL(f"http://aside{to_visit.pop()}")
        if url.path in seen:
            continue
        seen.add(url.path)
        answer = await client.get(url)
        assert (answer.status_code, len(answer.content) > 50) == (200, True), url
        if answer.headers["content-type"].startswith("text/html" if url.path == "/dashboard" else "text/javascript"):
            named = ["".join(match) for match in NAMED.findall(answer.text)]
            assert not [name for name in named if name.startswith("/") or "//" in name]
            to_visit += [url.join(name).path for name in named]
    files = {f"/dashboard/assets/{file.relative_to(STATIC)}" for file in OURS if file.suffix != ".html"}
    assert files <= seen  # no file is left that nobody needs
    assert {"/docs", "/metrics", "/readyz"} <= seen


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/assets/js/main.js"])
async def test_the_browser_is_told_to_trust_nothing_but_our_files(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"unsafe|http|\*|data:", policy)
    assert headers["cache-control"] == "no-cache"


async def test_with_a_slash_at_the_end_it_is_found_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/dashboard/", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/dashboard")


async def test_it_is_no_part_of_the_documented_api_which_links_to_it(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert not [path for path in document["paths"] if "dashboard" in path]
    assert "(dashboard)" in document["info"]["description"]


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_a_file_can_be_read_in_one_go_and_makes_no_markup_of_text(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= 300
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|style=\"", text)
    assert not re.search(r"""["'`]/(v1|docs|dashboard|metrics)""", text)  # relative to the page, behind any prefix


def test_the_library_that_comes_along_is_the_one_that_was_published() -> None:
    folder = STATIC / "vendor" / "uplot"
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {"uPlot.iife.min.js", "uPlot.min.css", "LICENSE"}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sums} == sums
    assert "uPlot 1.6.32, MIT" in (folder / "README.md").read_text()


def test_the_wheel_carries_every_file_of_the_page(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    assert {str(file.relative_to(ROOT)) for file in STATIC.rglob("*") if file.is_file()} <= carried
