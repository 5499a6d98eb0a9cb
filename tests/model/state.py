"""What the model knows of the world: one key, its versions 1, 2, 3, … in commit order, and where every actor stands.

All states are plain tuples. Actors of one kind are interchangeable, so they are kept sorted.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

T = TypeVar("T", bound=Any)

Key = tuple[str, int] | None
"""What Redis holds: nothing, ("value", version), or ("lease", floor)."""

# A token is good while the lease that was taken with it is in Redis; a snapshot may bring it back.
NO_TOKEN, LIVE, SAVED = 0, 1, 2

# What was sent twice, and whose first copy may still arrive.
LEASE_COPY, FILL_COPY = 1, 2


class Writer(NamedTuple):
    """idle → (leased) → committed → told → done."""

    at: str = "idle"
    version: int = 0
    token: int = NO_TOKEN


class Reader(NamedTuple):
    """idle → hit | leased → loaded → repairing | bypassing → repairing → answering → done; or an early refresh.

    ``least`` is what had been acknowledged or answered when the read began: it must not answer anything older.
    """

    at: str = "idle"
    least: int = 0
    token: int = NO_TOKEN
    value: int = 0
    copies: int = 0


class Relay(NamedTuple):
    """noted → polled → granted, then idle again. ``late``: its heartbeat would be dead by now."""

    at: str = "idle"
    horizon: int = 0
    restarts: int = 0
    late: bool = False


class State(NamedTuple):
    """``covered`` is what the poll behind the live heartbeat had seen; ``granted`` and ``applied`` are the ledger's:
    may a heartbeat be alive, and what has the relay applied. ``floor``: the newest version acknowledged or answered.
    """

    writers: tuple[Writer, ...]
    readers: tuple[Reader, ...]
    sql_left: int
    committed: int = 0
    key: Key = None
    heartbeat: bool = True
    covered: int = 0
    watermark: int = 0
    snapshot: tuple[Key, int] | None = None
    restarts: int = 0
    granted: bool = True
    applied: int = 0
    relay: Relay = Relay()
    floor: int = 0


def beginning(*, writers: int, readers: int, sql: int) -> State:
    """Nothing cached, nothing written, a live heartbeat."""
    return State((Writer(),) * writers, (Reader(),) * readers, sql)


def canonical(state: State) -> State:
    covered = state.covered if state.heartbeat else 0
    writers, readers = _in_order(state.writers), _in_order(state.readers)
    if covered == state.covered and writers is state.writers and readers is state.readers:
        return state  # as nearly always: a new tuple is what costs most here
    return state._replace(covered=covered, writers=writers, readers=readers)


def _in_order(actors: tuple[T, ...]) -> tuple[T, ...]:
    if len(actors) < 2:
        return actors
    ordered = tuple(sorted(actors))
    return actors if ordered == actors else ordered


def with_key(state: State, key: Key) -> State:
    """Redis holds something else now. A lease that only had its floor raised is the same lease."""
    if key == state.key:
        return state
    if key is not None and state.key is not None and key[0] == state.key[0] == "lease":
        return state._replace(key=key)
    return state._replace(
        key=key,
        writers=tuple(w._replace(token=w.token & ~LIVE) if w.token & LIVE else w for w in state.writers),
        readers=tuple(r._replace(token=r.token & ~LIVE) if r.token & LIVE else r for r in state.readers),
    )


def ended(reader: Reader) -> Reader:
    """It has answered: of a fill that may still arrive its token and value matter, else nothing."""
    if reader.copies & FILL_COPY:
        return Reader("done", token=reader.token, value=reader.value, copies=reader.copies)
    return Reader("done", copies=reader.copies)


def with_writer(state: State, index: int, writer: Writer) -> State:
    return state._replace(writers=(*state.writers[:index], writer, *state.writers[index + 1 :]))


def with_reader(state: State, index: int, reader: Reader) -> State:
    return state._replace(readers=(*state.readers[:index], reader, *state.readers[index + 1 :]))
