"""The tables in memory: rows with at most one uncommitted version each, changes, ledger, epoch, snapshots.

Every statement of the service is READ COMMITTED, so what a statement sees is the committed state, and a snapshot is
the three numbers that PostgreSQL writes: xmin:xmax:xip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulation.simulator import EPOCH_SECONDS, Simulator

Key = tuple[str, str]


class Row(NamedTuple):
    """A row of `entity`; times in seconds of PostgreSQL's clock."""

    version: int
    body: bytes | None
    deleted: bool
    ttl: float | None
    created_at: float
    updated_at: float


class Change(NamedTuple):
    version: int
    xid: int
    key: Key
    at: float


class State(NamedTuple):
    """What was true of a key from a moment of true time on. Version 0: no row at all."""

    version: int
    body: bytes | None
    since: float


class Snapshot(NamedTuple):
    xmin: int
    xmax: int
    xip: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        xmin, xmax, xip = text.split(":")
        return cls(int(xmin), int(xmax), tuple(int(xid) for xid in xip.split(",")) if xip else ())

    def __str__(self) -> str:
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, self.xip))}"

    def sees(self, xid: int) -> bool:
        return xid < self.xmin or (xid < self.xmax and xid not in self.xip)


@dataclass(eq=False, slots=True)
class Transaction:
    """``written``: what becomes true with its commit."""

    xid: int = 0
    written: dict[Key, Row | None] = field(default_factory=dict)
    is_over: bool = False


@dataclass(slots=True)
class Ledger:
    """Times in seconds of PostgreSQL's clock."""

    term: int = 0
    run_id: str | None = None
    granted_until: float = 0.0
    generation: str | None = None
    applied: str | None = None
    pruned_xid: int = 0


class Rows:
    """``history`` is the truth that the oracle goes by: what each key was, in the order of commits."""

    def __init__(self, simulator: Simulator, *, ahead: float = 0.0) -> None:
        self._simulator = simulator
        self._ahead = ahead
        self.table: dict[Key, Row] = {}
        self.locked: dict[Key, Transaction] = {}
        self.changes: list[Change] = []
        self.ledger = Ledger()
        self.epoch = int(self.clock() * 1000)
        self.type_epochs: dict[str, int] = {}
        self.history: dict[Key, list[State]] = {}
        self.truncations: list[float] = []
        self.truncated_version = 0
        self._active: dict[int, Transaction] = {}
        self._next_xid = 700
        self._sequence = 0
        self._waiting: dict[Key, list[Callable[[], None]]] = {}

    def clock(self) -> float:
        return EPOCH_SECONDS + self._simulator.now + self._ahead

    def generation(self) -> str:
        return f"e97f8fd490.{self.epoch}"

    def next_version(self) -> int:
        self._sequence += 1
        return self._sequence

    # -- transactions --------------------------------------------------------------------------------------------

    def assign(self, transaction: Transaction) -> None:
        """Give it its xid, if it has none yet: from now on snapshots know that it is under way."""
        if not transaction.xid:
            transaction.xid = self._next_xid
            self._next_xid += 1
            self._active[transaction.xid] = transaction

    def lock(self, transaction: Transaction, key: Key) -> bool:
        holder = self.locked.setdefault(key, transaction)
        return holder is transaction

    def when_unlocked(self, key: Key, again: Callable[[], None]) -> None:
        self._waiting.setdefault(key, []).append(again)

    def write(self, transaction: Transaction, key: Key, row: Row | None) -> None:
        """Under the row lock. A row that has a version is noted as a change, in the same transaction."""
        self.assign(transaction)
        transaction.written[key] = row
        if row is not None:
            self.note(transaction, key, row.version)

    def note(self, transaction: Transaction, key: Key, version: int) -> None:
        self.changes.append(Change(version, transaction.xid, key, self.clock()))

    def commit(self, transaction: Transaction) -> None:
        for key, row in transaction.written.items():
            if row is None:
                self.table.pop(key, None)
                self._became(key, 0, None)
            else:
                self.table[key] = row
                self._became(key, row.version, row.body)
        self._end(transaction)

    def abort(self, transaction: Transaction) -> None:
        self.changes = [change for change in self.changes if change.xid != transaction.xid]
        self._end(transaction)

    def _end(self, transaction: Transaction) -> None:
        transaction.is_over = True
        self._active.pop(transaction.xid, None)
        freed = [key for key, holder in self.locked.items() if holder is transaction]
        for key in freed:
            del self.locked[key]
        for key in freed:
            waiting = self._waiting.pop(key, [])
            if len(waiting) > 1:
                self._simulator.rng.shuffle(waiting)  # nobody is promised a place in the queue
            for again in waiting:
                again()

    def _became(self, key: Key, version: int, body: bytes | None) -> None:
        self.history.setdefault(key, []).append(State(version, body, self._simulator.now))

    # -- what statements see -------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        active = sorted(self._active)
        return Snapshot(active[0] if active else self._next_xid, self._next_xid, tuple(active))

    def changes_between(self, since: Snapshot, until: Snapshot, *, after: int = 0) -> list[Change]:
        """What ``until`` sees and ``since`` does not, by version."""
        return sorted(
            change
            for change in self.changes
            if change.version > after and change.xid >= since.xmin and not since.sees(change.xid)
            and until.sees(change.xid)
        )  # fmt: skip

    def is_applied(self, version: int) -> bool:
        """Whether the ledger says that every cache that readers trust knows of a version."""
        ledger = self.ledger
        if ledger.generation is None or ledger.generation != self.generation() or ledger.applied is None:
            return False
        applied, now = Snapshot.parse(ledger.applied), self.snapshot()
        return all(
            applied.sees(change.xid) for change in self.changes if change.version == version and now.sees(change.xid)
        )

    # -- what moves everything -----------------------------------------------------------------------------------

    def next_epoch(self) -> None:
        self.epoch = max(self.epoch + 1, int(self.clock() * 1000))

    def next_epoch_of_type(self, entity_type: str) -> None:
        """Everything cached of it is given up: the table stays what it is."""
        self.type_epochs[entity_type] = max(self.type_epochs.get(entity_type, 0) + 1, int(self.clock() * 1000))

    def truncate(self) -> bool:
        """False where somebody has the table open."""
        if self.locked:
            return False
        self.truncated_version = self.next_version()
        for key in {*self.table, *self.history}:
            self._became(key, self.truncated_version, None)
        self.table.clear()
        self.next_epoch()
        self.truncations.append(self._simulator.now)
        return True

    def crash(self) -> None:
        """All that was not committed is gone; the sequence may have run ahead, never back."""
        for transaction in list(self._active.values()) + list(self.locked.values()):
            if not transaction.is_over:
                self.abort(transaction)
        self._sequence += 32

    def rows(self, keys: Iterable[Key]) -> list[tuple[Key, Row | None]]:
        return [(key, self.table.get(key)) for key in keys]
