"""REFRESH: renewing an entry before it expires, behind the back of the reader who was drawn to do it."""

from __future__ import annotations

from service.cache.loads import Loads, new_token
from service.cache.policy import Policy
from service.cache.recorder import Recorder
from service.cache.store import Effect, Store
from service.cache.tasks import Tasks
from service.cache.visit import Visit
from service.domain.row import VersionedRow
from service.errors import CacheUnavailableError, UnavailableError


class Refresher:
    """At most one refresh per key in this process, and, by a small lease in Redis, in all of them."""

    def __init__(self, store: Store, loads: Loads, tasks: Tasks, recorder: Recorder) -> None:
        self._store = store
        self._loads = loads
        self._tasks = tasks
        self._recorder = recorder
        self._under_way: set[str] = set()

    def start(self, name: str, policy: Policy, generation: bytes) -> None:
        """Refresh in the background, unless that is under way. ``generation`` is the one the reader saw."""
        if name not in self._under_way:
            self._under_way.add(name)
            self._tasks.start(self._refresh(name, policy, generation))

    async def _refresh(self, name: str, policy: Policy, generation: bytes) -> None:
        try:
            if await self._store.claim_refresh(name, new_token()):
                self._recorder.early_refresh(name[: name.index(":")])
                await self.renew(name, policy, generation)
        except UnavailableError:
            pass  # nobody waits for it, and the entry is still good: the next reader draws again
        finally:
            self._under_way.discard(name)

    async def renew(
        self, name: str, policy: Policy, generation: bytes, *, visit: Visit | None = None
    ) -> tuple[VersionedRow, bool, bool]:
        """Load, and install over what is older or equal; never onto nothing (race R27). The claim is given back.

        Returns the row, whether the cache now holds it, and whether the cache was told at all.
        """
        try:
            loaded = await self._loads.load(name)
            if visit is not None:
                visit.load_ms += loaded.cost_ms
            change = self._loads.change(
                name, policy, loaded.row, generation=generation, cost_ms=loaded.cost_ms, renew=True
            )
            try:
                applying = self._store.apply(change)
                applied = await (applying if visit is None else visit.spend(applying))
            except CacheUnavailableError:
                return loaded.row, False, False
            return loaded.row, applied.effect is Effect.REPLACED, applied.counts
        finally:
            self._tasks.start(self._store.release_refresh(name))
