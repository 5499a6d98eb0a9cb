"""The real engine over dictionaries: no sockets, a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from service.cache.carried import Carrier
from service.cache.codec import decode, encode
from service.cache.engine import Engine
from service.cache.entry import Entry
from service.cache.keys import cache_key
from service.cache.loads import Loads
from service.cache.missing import Missing
from service.cache.policy import Policy
from service.cache.refreshing import Refresher
from service.cache.settling import Settler
from service.cache.tasks import Tasks
from tests.support.memory_rows import MemoryRows
from tests.support.memory_server import MemoryServer
from tests.support.memory_store import MemoryStore
from tests.support.recording import Recording

GENERATION = b"g.1"
START_MS = 1_000_000


@dataclass(slots=True)
class Clock:
    """Redis's clock, in ms."""

    now_ms: int = START_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass(slots=True)
class Replica:
    """One process: an engine and what it is made of. Several may share a server and rows."""

    engine: Engine
    store: MemoryStore
    tasks: Tasks
    recording: Recording


@dataclass(slots=True)
class World:
    """What replicas share, with a live heartbeat. ``draw`` is what chance says: 0.0 never refreshes early."""

    clock: Clock = field(default_factory=Clock)
    rows: MemoryRows = field(default_factory=MemoryRows)
    server: MemoryServer = field(init=False)
    policy: Policy = field(default_factory=lambda: Policy(jitter=0.0))

    def __post_init__(self) -> None:
        self.server = MemoryServer(self.clock)
        self.server.beat(GENERATION)

    def replica(
        self, *, draw: Callable[[], float] = lambda: 0.0, bound_seconds: float = 0.02, lease_wait_seconds: float = 0.02,
        budget_seconds: float = 30.0, fails_over: bool = False,
    ) -> Replica:  # fmt: skip
        store = MemoryStore(self.server, fails_over=fails_over)
        recording, tasks = Recording(), Tasks()
        loads = Loads(store, self.rows, draw=draw)
        settler = Settler(store, self.rows, bound_seconds=bound_seconds)
        refresher = Refresher(store, loads, tasks, recording)
        missing = Missing(
            store, loads=loads, settler=settler, refresher=refresher, tasks=tasks, recorder=recording,
            lease_wait_seconds=lease_wait_seconds,
        )  # fmt: skip
        carrier = Carrier(
            store, loads=loads, missing=missing, tasks=tasks, recorder=recording, budget_seconds=budget_seconds
        )  # fmt: skip
        engine = Engine(
            store, loads=loads, settler=settler, missing=missing, carrier=carrier, refresher=refresher, tasks=tasks,
            recorder=recording, budget_seconds=budget_seconds, draw=draw,
        )  # fmt: skip
        return Replica(engine, store, tasks, recording)

    def cached(self, name: str) -> Entry | None:
        """What the cache holds, as a reader decodes it."""
        raw = self.server.get(cache_key(name))
        return None if raw is None else decode(raw, name)

    def cache(
        self, name: str, version: int, body: bytes | None, *, fresh_ms: int = 60_000, stale_ms: int = 60_000,
        cost_ms: int = 5, generation: bytes = GENERATION,
    ) -> Entry:  # fmt: skip
        """Put an entry there that was written now."""
        now_ms = self.clock()
        fresh_until_ms = now_ms + fresh_ms
        entry = Entry(version, generation, cost_ms, now_ms, fresh_until_ms, fresh_until_ms + stale_ms, 1, body)
        self.server.set(cache_key(name), encode(entry, name), dies_at_ms=entry.stale_until_ms)
        return entry
