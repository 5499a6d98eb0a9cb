"""The process that warms beside a replica, told to end: by the end of its stdin, or by signals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any, cast

import pytest

from service import warming_work

_TURNS = 20
"""Of the loop, which a page in flight takes to end."""


@pytest.mark.parametrize("told_by", ["stdin", "signals"])
async def test_told_to_end_it_ends_its_page_first(monkeypatch: pytest.MonkeyPatch, told_by: str):
    """However often it is told: a stdin at its end says so at every turn of the loop."""
    reads, writes = os.pipe()
    has_begun, pages = asyncio.Event(), []

    async def warm(*_: Any) -> None:
        try:
            has_begun.set()
            await asyncio.Event().wait()
        finally:
            for _turn in range(_TURNS):
                tell()
                await asyncio.sleep(0)
            pages.append("ended")

    with os.fdopen(reads, "rb") as stdin, os.fdopen(writes, "wb") as commands:

        def tell() -> None:
            if told_by == "stdin":
                commands.close()
            else:
                os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(warming_work, "_warm", warm)
        monkeypatch.setattr(sys, "stdin", stdin)
        nothing = cast(Any, None)  # this page asks for no order, and for no settings
        process = asyncio.create_task(warming_work.work(nothing, nothing))
        await has_begun.wait()
        tell()
        await process
    assert pages == ["ended"]
