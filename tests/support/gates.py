"""Where a test stops the code under test, and lets it go on: interleavings are forced here, never slept for."""

from __future__ import annotations

import asyncio

_PATIENCE_SECONDS = 10.0


class Gate:
    """Open, until a test holds it. Whoever then comes by stands still until it is released."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._to_hold = 0.0
        self._released = asyncio.Event()
        self._standing = asyncio.Event()

    def hold(self, passers: float = float("inf")) -> None:
        """Stop the next ``passers``; those after them walk through."""
        self._to_hold = passers
        self._released = asyncio.Event()
        self._standing = asyncio.Event()

    def release(self) -> None:
        """Let everyone go, those who stand here and those who will come."""
        self._to_hold = 0
        self._released.set()

    async def reached(self) -> None:
        """Return once somebody stands here; fail where nobody comes."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._standing.wait()
        except TimeoutError:
            raise AssertionError(f"nobody came to the gate {self._name!r}") from None

    async def passing(self) -> None:
        """Called by the seam that this gate stands in."""
        if self._to_hold < 1:
            return
        self._to_hold -= 1
        self._standing.set()
        await self._released.wait()


class Gates:
    """The places in one replica where a test may stop it."""

    def __init__(self) -> None:
        self.loading = Gate("before the query is sent")
        self.loaded = Gate("after the query, before the rows are handed on")
        self.committed = Gate("after the commit, before the cache is told")
        self.reading = Gate("before the MGET")
        self.leasing = Gate("before the lease is asked for")
        self.filling = Gate("before the fill is sent")
        self.applying = Gate("before the apply is sent")
        self.claiming = Gate("before the refresh is claimed")

    def release(self) -> None:
        """Let all go on: the end of a test."""
        for gate in vars(self).values():
            gate.release()
