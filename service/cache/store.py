"""The seams of the engine: what it needs of a cache, of a loader, of the ledger. Protocols and their values only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from service.cache.entry import Lease, Reading
from service.domain.row import Coverage, VersionedRow

NO_GENERATION = b"-"
"""Compares equal to no generation: an apply that carries it drops whatever value it finds, which is always safe."""


class Mode(StrEnum):
    """What an apply does with an entry that it may touch; see `scripts/entry.lua`."""

    DROP = "drop"
    REPLACE = "replace"
    RENEW = "renew"


class Effect(StrEnum):
    """What an apply found and did."""

    ABSENT = "absent"
    RAISED = "raised"
    KEPT = "kept"
    REPLACED = "replaced"
    DROPPED = "dropped"


class Leased(NamedTuple):
    """The answer to a wish for a lease: the lease, or else what is there: an entry's bytes, or None (busy, or off)."""

    lease: Lease | None
    reading: Reading


@dataclass(frozen=True, slots=True, eq=False)
class Install:
    """The bytes of an entry, ready for `SET … PXAT stale_until_ms`."""

    payload: bytes
    stale_until_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A version that exists, told to the cache. Without ``install`` what is older is dropped."""

    name: str
    version: int
    generation: bytes
    install: Install | None = None
    renew: bool = False


class Applied(NamedTuple):
    """``counts`` is False where the server may not be the one that readers use: its heartbeat does not name it."""

    effect: Effect
    counts: bool


class Filled(NamedTuple):
    stored: bool
    counts: bool


class Found(NamedTuple):
    """A row that was loaded, and, where that was wanted, what the ledger says of its version."""

    row: VersionedRow
    coverage: Coverage | None


class Store(Protocol):
    """One string per key in Redis, or something that behaves as it. Every method may raise CacheUnavailableError."""

    @property
    def available(self) -> bool:
        """False while the breaker is open: every call would fail at once."""

    def generation_of(self, name: str) -> bytes:
        """The label of entries of this name, by the heartbeat last seen; NO_GENERATION before the first."""

    def now_ms(self) -> int:
        """Redis's clock, as this process knows it."""

    def read(self, name: str) -> Awaitable[Reading]:
        """The entry's bytes, and the heartbeat read with it in the same MGET."""

    def look(self, name: str, then: Callable[[Reading | None, BaseException | None], None]) -> None:
        """`read` for who has no coroutine: ``then`` is called once, later, with what was read or why nothing was."""

    def read_many(self, names: Sequence[str]) -> Awaitable[list[Reading]]:
        """The same for many keys, in one MGET as far as they fit into one."""

    def lease(self, name: str, token: bytes, *, for_write: bool = False) -> Awaitable[Leased]:
        """Take the lease of an absent key."""

    def ask_lease(self, name: str, token: bytes, then: Callable[[Leased | None, BaseException | None], None]) -> None:
        """The same for who has no coroutine, and reads."""

    def fill(self, name: str, token: bytes, version: int, install: Install) -> Awaitable[Filled]:
        """Install under a lease."""

    def ask_fill(
        self, name: str, token: bytes, version: int, install: Install,
        then: Callable[[Filled | None, BaseException | None], None],
    ) -> None:  # fmt: skip
        """The same for who has no coroutine."""

    def apply(self, change: Change) -> Awaitable[Applied]:
        """Tell that a version exists."""

    async def claim_refresh(self, name: str, token: bytes) -> bool:
        """Become the one that refreshes this key early."""

    async def abandon(self, name: str) -> None:
        """Remove a lease that will not be used. It may remove more: dropping an entry is always safe."""

    async def release_refresh(self, name: str) -> None:
        """Let the next early refresh of this key happen. Failing is harmless: the claim expires."""


class Ledger(Protocol):
    """May raise UnavailableError."""

    async def coverage(self, version: int) -> Coverage: ...


class Loader(Protocol):
    """Reads rows of the primary, many waiting keys in one query. May raise UnavailableError."""

    async def load(self, name: str) -> VersionedRow: ...

    async def load_with_coverage(self, name: str) -> tuple[VersionedRow, Coverage]:
        """The row, and what the ledger says of its version, in one snapshot."""

    def ask(
        self, name: str, then: Callable[[Found | None, BaseException | None], None], *, with_coverage: bool
    ) -> None:  # fmt: skip
        """Either of them for who has no coroutine: ``then`` is called once, later. Raises OverloadedError at once."""
