"""From the database to bytes for the cache: loads that are timed, and the changes that are made of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from service.cache.codec import encode
from service.cache.entry import Entry
from service.cache.policy import Policy, lifetimes
from service.cache.store import NO_GENERATION, Change, Found, Install, Loader, Store
from service.domain.row import Coverage, VersionedRow

Draw = Callable[[], float]


class Loaded(NamedTuple):
    row: VersionedRow
    cost_ms: float
    coverage: Coverage | None
    """What the ledger says of the row's version, where it was asked for with the row."""


class Loads:
    """``draw`` is uniform in [0, 1); an argument, so that a simulation can replay."""

    def __init__(self, store: Store, loader: Loader, *, draw: Draw = random.random) -> None:
        self._store = store
        self._loader = loader
        self._draw = draw

    async def load(self, name: str) -> Loaded:
        """Read the primary, together with all that wait at this moment. Raises UnavailableError."""
        started = time.perf_counter()
        row = await self._loader.load(name)
        return Loaded(row, (time.perf_counter() - started) * 1000, None)

    async def load_with_coverage(self, name: str) -> Loaded:
        started = time.perf_counter()
        row, coverage = await self._loader.load_with_coverage(name)
        return Loaded(row, (time.perf_counter() - started) * 1000, coverage)

    def ask(
        self, name: str, then: Callable[[Loaded | None, BaseException | None], None], *, with_coverage: bool = False
    ) -> None:  # fmt: skip
        """Either of them for who has no coroutine. ``then`` is called once, later. Raises OverloadedError at once."""
        started = time.perf_counter()

        def came(found: Found | None, error: BaseException | None) -> None:
            cost_ms = (time.perf_counter() - started) * 1000
            then(None if found is None else Loaded(found.row, cost_ms, found.coverage), error)

        self._loader.ask(name, came, with_coverage=with_coverage)

    def install(self, name: str, policy: Policy, row: VersionedRow, *, generation: bytes, cost_ms: float) -> Install:
        """The row as an entry written now. ``generation`` was learned before the row was read."""
        return install_of(
            name, policy, row, generation=generation, cost_ms=cost_ms, now_ms=self._store.now_ms(), draw=self._draw()
        )

    def change(
        self, name: str, policy: Policy, row: VersionedRow, *, generation: bytes, cost_ms: float, renew: bool = False
    ) -> Change:
        """Tell the cache of a row, with the body in case it holds something older.

        A row that does not exist at all has no version to compare: whatever the cache holds is dropped.
        """
        if generation == NO_GENERATION or row.version == 0:
            return Change(name, row.version, NO_GENERATION)
        install = self.install(name, policy, row, generation=generation, cost_ms=cost_ms)
        return Change(name, row.version, generation, install, renew)


def install_of(
    name: str, policy: Policy, row: VersionedRow, *, generation: bytes, cost_ms: float, now_ms: int, draw: float
) -> Install:
    """The row as an entry written at ``now_ms`` of Redis's clock. ``draw`` is the share of the jitter that it loses."""
    lives = lifetimes(policy, now_ms, draw, negative=row.body is None, ttl_seconds=row.ttl_seconds)
    entry = Entry(
        version=row.version,
        generation=generation,
        cost_ms=max(1, round(cost_ms)),
        written_at_ms=now_ms,
        fresh_until_ms=lives.fresh_until_ms,
        stale_until_ms=lives.stale_until_ms,
        modified_at_ms=row.modified_at_ms,
        body=row.body,
    )
    return Install(encode(entry, name), lives.stale_until_ms)


def new_token() -> bytes:
    """Names one lease among all that ever are."""
    return b"%016x" % random.getrandbits(64)
